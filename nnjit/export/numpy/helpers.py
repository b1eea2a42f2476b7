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
    "erfc": '''\
def erfc(x):
    """1 - erf(x) of each element."""
    return np.frompyfunc(math.erfc, 1, 1)(x).astype(x.dtype)
''',
    "xlogy": '''\
def xlogy(x, y):
    """x log(y), but 0 where x is 0."""
    return x * np.log(np.where((x == 0) & ~np.isnan(y), 1, y))
''',
    "xlog1py": '''\
def xlog1py(x, y):
    """x log(1 + y), but 0 where x is 0."""
    return x * np.log1p(np.where((x == 0) & ~np.isnan(y), 0, y))
''',
    "xdivy": '''\
def xdivy(x, y):
    """x / y, but 0 where both are 0."""
    return x / np.where((x == 0) & (y == 0), 1, y)
''',
    "entr": '''\
def entr(x):
    """-x log(x), 0 at 0 and -inf below."""
    return np.where(x < 0, -np.inf, -x * np.log(np.where(x > 0, x, 1))).astype(x.dtype)
''',
    "rel_entr": '''\
def rel_entr(x, y):
    """x log(x / y): 0 where x is 0 and y is not negative, else inf unless both are positive."""
    inside = (x > 0) & (y > 0)
    p, q = np.where(inside, x, 1), np.where(inside, y, 1)
    with np.errstate(all="ignore"):  # of the choices that are not taken
        ratio = p / q
        far = np.where((ratio > 0) & (ratio < np.inf), np.log(ratio), np.log(p) - np.log(q))
        logarithm = np.where(np.abs(p - q) < q / 2, np.log1p((p - q) / q), far)
    outside = np.where(np.isnan(x) | np.isnan(y), np.nan, np.where((x == 0) & (y >= 0), 0, np.inf))
    return np.where(inside, p * logarithm, outside).astype(x.dtype)
''',
    "expm1mx": '''\
def expm1mx(x):
    """exp(x) - 1 - x; near 0, where this loses digits, the sum of its series."""
    is_near = np.abs(x) < 0.5
    v = np.where(is_near, x, 0)
    series = 0 * v
    for k in range(16, 1, -1):
        series = series * v + 1 / math.factorial(k)
    return np.where(is_near, v * v * series, np.expm1(x) - np.where(x == np.inf, 0, x))
''',
    "gammaln": '''\
def gammaln(x):
    """log |Γ(x)| of each element."""
    return np.frompyfunc(math.lgamma, 1, 1)(x).astype(x.dtype)
''',
    "corner": '''\
def corner(x):
    """1 / x, but 0 at 0."""
    return np.divide(1, x, out=np.zeros_like(x), where=x != 0)
''',
    "windows": '''\
def windows(x, first, sizes, strides, dilations):
    """The sliding windows over the axes from `first` on: their positions, then their elements."""
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
    """Add up overlapping windows, the transpose of taking windows."""
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
    """Add each element of x to zeros, at its index along an axis."""
    out = np.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype)
    places = list(np.ogrid[tuple(map(slice, x.shape))])
    places[axis] = index
    np.add.at(out, tuple(places), x)
    return out
''',
}
