"""Functions and classes that PyTorch lacks, as source for an exported file."""

HELPERS: dict[str, str] = {
    "is_data": '''\
def is_data(x, value):
    """1 for each step (n, steps, 1) of x unless all its elements equal a value, else 0."""
    return (x.flatten(2) if x.ndim > 2 else x.unsqueeze(2)).ne(value).any(2, keepdim=True).to(x.dtype)
''',
    "find_padding": '''\
def find_padding(x, value, steps):
    """Mark the elements of x in steps that equal a value throughout; steps are indices (steps, features)."""
    flat = x.flatten(1)
    is_step = (flat[:, steps] == value).all(2, keepdim=True)
    found = torch.zeros_like(flat, dtype=torch.bool)
    found[:, steps] = is_step.expand(-1, *steps.shape)
    return found.reshape(x.shape)
''',
    "average_pool": '''\
def average_pool(x, pool, padding):
    """The mean of each window without its padding."""
    ones = torch.ones_like(x[:1, :1])
    return pool(F.pad(x, padding)) / pool(F.pad(ones, padding))
''',
    "attend": '''\
def attend(attention, x, causal=False, mask=None):
    """Self-attention of a sequence; padding is not read, and its output is 0."""
    later = padded = None
    if causal:
        later = torch.triu(x.new_full((x.shape[1], x.shape[1]), -torch.inf), 1)
    if mask is not None:
        padded = (1 - mask[:, :, 0]) * -1e9
    y, _ = attention(x, x, x, key_padding_mask=padded, attn_mask=later, need_weights=False)
    return y if mask is None else y * mask
''',
    "mean_of_words": '''\
def mean_of_words(embedding, indices):
    """The mean vector of the words (n, words); 0 means no word."""
    is_word = (indices > 0).unsqueeze(2).to(embedding.weight.dtype)
    return (embedding(indices) * is_word).sum(1) / is_word.sum(1).clamp(min=1)
''',
    "GaussianNoise": '''\
class GaussianNoise(nn.Module):
    """Adds normally distributed noise in training."""

    def __init__(self, stddev):
        super().__init__()
        self.stddev = stddev

    def forward(self, x):
        return x + self.stddev * torch.randn_like(x) if self.training else x
''',
    "CellWith": '''\
class CellWith(nn.RNNCell):
    """The cell of a simple recurrent layer with another activation."""

    def __init__(self, inputs, units, function):
        super().__init__(inputs, units)
        self.function = function

    def forward(self, x, h):
        given = F.linear(x, self.weight_ih, self.bias_ih)
        return self.function(given + F.linear(h, self.weight_hh, self.bias_hh))
''',
    "OverSteps": '''\
class OverSteps(nn.Module):
    """A recurrent cell over the steps of a sequence; steps of padding do not change its state."""

    def __init__(self, cell, reverse=False):
        super().__init__()
        self.cell = cell
        self.reverse = reverse

    def forward(self, x, mask=None):
        """The output of each step (n, steps, units), and of the last (n, units)."""
        zero = x.new_zeros(len(x), self.cell.hidden_size)
        states = (zero, zero) if isinstance(self.cell, nn.LSTMCell) else (zero,)
        outputs = [zero] * x.shape[1]
        for t in reversed(range(len(outputs))) if self.reverse else range(len(outputs)):
            after = self.cell(x[:, t], states if len(states) > 1 else states[0])
            after = after if isinstance(after, tuple) else (after,)
            if mask is None:
                states, outputs[t] = after, after[0]
            else:
                keep = mask[:, t]
                states = tuple(s + keep * (a - s) for s, a in zip(states, after))
                outputs[t] = keep * states[0]
        return torch.stack(outputs, 1), states[0]
''',
}
