"""Functions that NumPy lacks, as source for an exported file."""

HELPERS: dict[str, str] = {
    "sigmoid": '''\
def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))
''',
    "erf": '''\
def erf(x):
    """The error function of each element."""
    return np.frompyfunc(math.erf, 1, 1)(x).astype(x.dtype)
''',
    "gammaln": '''\
def gammaln(x):
    """The logarithm of |Γ(x)| of each element."""
    return np.frompyfunc(math.lgamma, 1, 1)(x).astype(x.dtype)
''',
    "corner": '''\
def corner(x):
    """1 / x, and 0 at 0."""
    return np.divide(1, x, out=np.zeros_like(x), where=x != 0)
''',
    "windows": '''\
def windows(x, first, sizes, strides, dilations):
    """The sliding windows over the axes from `first` on: their positions, and then their elements."""
    axes, reach = range(first, first + len(sizes)), [d * (s - 1) + 1 for s, d in zip(sizes, dilations)]
    found = np.lib.stride_tricks.sliding_window_view(x, reach, tuple(axes))
    picked = [slice(None)] * found.ndim
    for axis, stride, dilation in zip(axes, strides, dilations):
        picked[axis] = slice(None, None, stride)
        picked[axis - first + x.ndim] = slice(None, None, dilation)
    inner = range(x.ndim, found.ndim)
    order = (*range(first), *axes, *inner, *range(first + len(sizes), x.ndim))
    return found[tuple(picked)].transpose(order)
''',
    "overlap_add": '''\
def overlap_add(x, first, lengths, strides, dilations):
    """The sum of windows where they overlap, the transpose of taking windows."""
    n = len(lengths)
    out = np.zeros((*x.shape[:first], *lengths, *x.shape[first + 2 * n :]), x.dtype)
    counts, sizes = x.shape[first : first + n], x.shape[first + n : first + 2 * n]
    lead = (slice(None),) * first
    for offset in np.ndindex(*sizes):
        places = zip(offset, dilations, strides, counts)
        spans = [slice(k * d, k * d + s * (c - 1) + 1, s) for k, d, s, c in places]
        out[(*lead, *spans)] += x[(*lead, *(slice(None),) * n, *offset)]
    return out
''',
    "scatter_add": '''\
def scatter_add(x, index, axis, size):
    """Zeros, to which each element of x is added at its index along an axis."""
    out = np.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype)
    places = list(np.ogrid[tuple(map(slice, x.shape))])
    places[axis] = index
    np.add.at(out, tuple(places), x)
    return out
''',
}
