"""Every module that defines ops, imported so that all of them are there."""

from numpy_tf.ops import control_flow, python_function  # noqa: F401
from numpy_tf.ops.array import (  # noqa: F401
    basic,
    blocks,
    checks,
    constant,
    data_flow,
    diagonal,
    fill,
    gather,
    gather_nd,
    one_hot,
    quantization,
    repetition,
    select,
    sequences,
    shape,
    slicing,
    stack,
    transpose,
    unique,
)
from numpy_tf.ops.control import (  # noqa: F401
    assertion,
    case,
    comparisons,
    cond,
    function,
    functional,
    optional,
    tensor_array,
    tensor_list,
    while_loop,
)
from numpy_tf.ops.image import (  # noqa: F401
    adjust,
    color,
    crop_and_resize,
    geometry,
    measures,
    projective,
    resize,
    scale_and_translate,
)
from numpy_tf.ops.linalg import banded, decomposition, einsum, products, pseudo, solve  # noqa: F401
from numpy_tf.ops.linalg import norm as _norm  # noqa: F401
from numpy_tf.ops.math import (  # noqa: F401
    argmax,
    arithmetic,
    cast,
    clip,
    comparison,
    complex,
    compositions,
    cumulative,
    elementwise,
    guarded,
    matmul,
    neighbours,
    reduction,
    segment,
    sequence,
    sparse_segment,
    special,
    trigonometric,
)
from numpy_tf.ops.nn import (  # noqa: F401
    activation,
    batch_norm,
    bias,
    convolution,
    convolving,
    depthwise,
    dilation,
    dropout,
    embedding,
    fractional_pool,
    isotonic,
    layers,
    local_response,
    norm,
    patches,
    pooling,
    pooling_functions,
    sampled,
    softmax,
    topk,
)
from numpy_tf.ops.ragged import ragged_tensor  # noqa: F401
from numpy_tf.ops.signal import cosine, fourier, frames, spectral, windows  # noqa: F401
from numpy_tf.ops.sparse import dense, sparse_tensor  # noqa: F401
from numpy_tf.ops.state import random, reference, resource, training, updates  # noqa: F401
