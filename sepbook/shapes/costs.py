"""What an operation costs in multiply-accumulates (MACs), or that nobody has counted it.

- convolution: every output number costs `input channels / groups * kernel size` (transposed: every input number costs
  `output channels / groups * kernel size`).
- matrix product `(..., n, k) @ (..., k, m)`: n * k * m for each pair of matrices. Linear layers and einsum are matrix
  products. Bilinear layers multiply by one input after the other.
- attention: the products of queries and keys, and of weights and values, masked positions included.
- recurrent layers: every weight is used once per frame and batch item, so `weights * B * T` (see `recurrent`).
- linear and cubic resampling, `grid_sample`: every output number costs one MAC for each input that it reads.
- a product of complex numbers counts as 4 real ones (3 in a convolution, which PyTorch computes from 3).

Counted as 0, as is usual: bias, element-wise operations (products such as a mask too), norms, softmax, sums, pooling,
look-ups, copies. Fourier transforms count as 0 too, but a trace names them, as it names each operation that is in
none of these lists: nothing is left out in silence.

Taught on: book/how_to_read
"""

import torch

from sepbook.shapes.ops import known

aten = torch.ops.aten

PRODUCTS = {  # where the first factor stands among the arguments
    **dict.fromkeys((aten.mm, aten.bmm, aten.mv, aten.dot, aten.vdot), 0),
    **dict.fromkeys((aten.addmm, aten.baddbmm, aten.addmv, aten.addbmm, aten._addmm_activation), 1),
}
TAPS = {  # how many inputs one output reads
    **{aten.upsample_linear1d: 2, aten.upsample_bilinear2d: 4, aten.upsample_trilinear3d: 8},
    **{aten.upsample_bicubic2d: 16, aten._upsample_bilinear2d_aa: 4, aten._upsample_bicubic2d_aa: 16},
}
GRIDS = {aten.grid_sampler_2d: 2, aten.grid_sampler_3d: 3}  # how many axes they sample along
GRID_TAPS = {0: 2, 1: 0, 2: 4}  # mode: linear, nearest, cubic
ATTENTION = known(
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable",
    "_scaled_dot_product_attention_math",
    "_scaled_dot_product_attention_math_for_mps",
    "scaled_dot_product_attention",
)
NAMED = {name: "Fourier transform" for name in ("_fft_r2c", "_fft_c2r", "_fft_c2c")}  # 0 by convention, but told
# Moves, look-ups, norms, sums. What PyTorch tags as element-wise, as a reduction or as a view is free anyway.
FREE = frozenset(
    """
    _unsafe_view view_as_complex view_as_real detach alias lift_fresh _to_copy copy clone fill zero uniform
    normal native_batch_norm native_layer_norm native_group_norm _native_batch_norm_legit _fused_rms_norm
    _weight_norm_interface
    _native_batch_norm_legit_no_training cudnn_batch_norm miopen_batch_norm _softmax _log_softmax _safe_softmax
    cat stack split split_with_sizes unsafe_split unsafe_chunk repeat roll flip rot90 index index_select gather
    scatter scatter_add scatter_reduce index_put _index_put_impl index_copy index_add index_fill masked_select
    take embedding _embedding_bag _embedding_bag_forward_only one_hot sort topk kthvalue mode unique_dim
    _unique2 nonzero searchsorted bucketize cumsum cumprod cummax cummin logcumsumexp tril triu diagonal
    diag_embed constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
    replication_pad2d replication_pad3d im2col col2im unfold_backward pixel_shuffle pixel_unshuffle
    channel_shuffle glu complex polar max_pool2d_with_indices max_pool3d_with_indices avg_pool1d avg_pool2d
    avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d
    fractional_max_pool2d fractional_max_pool3d max_unpool2d max_unpool3d upsample_nearest1d upsample_nearest2d
    upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d
    _prelu_kernel bernoulli multinomial histc bincount transpose squeeze unsqueeze resize set_ as_strided
    _local_scalar_dense equal is_same_size argsort aminmax native_dropout _pack_padded_sequence
    _pad_packed_sequence rrelu_with_noise masked_scatter repeat_interleave _assert_async _assert_tensor_metadata
    record_stream _linalg_check_errors item isin median nanmedian
    """.split()
)


# Element-wise operations that older versions of PyTorch do not tag so (2.11 among them).
UNTAGGED = frozenset("celu_ elu_ hardsigmoid_ hardtanh_ leaky_relu leaky_relu_ selu_".split())


def is_pointwise(func) -> bool:
    """Whether an operation works on every element by itself. Taught on: book/how_to_read."""
    return torch.Tag.pointwise in func.tags or func._schema.name.removeprefix("aten::") in UNTAGGED


def macs(func, args, out) -> int | None:
    """Return the MACs of one operation, 0 for what is free by convention, None for what nobody has counted.

    Taught on: book/how_to_read
    """
    packet = func.overloadpacket
    if packet is aten.convolution:
        data, weight, transposed = args[0], args[1], args[6]
        return _real(out) * (data if transposed else out).numel() * weight[0].numel()
    if packet in PRODUCTS:
        first = args[PRODUCTS[packet]]
        batch = first.shape[0] if packet is aten.addbmm else 1
        return _real(out) * batch * out.numel() * first.shape[-1]
    if packet in ATTENTION:
        return attention(*args[:3])
    if packet in RARE:
        return RARE[packet](args, out)
    return 0 if is_free(func, args) else None


def _real(tensor) -> int:
    return 4 if tensor.is_complex() else 1


def attention(query, key, value) -> int:
    """MACs of attention: query `(..., T', D)` with key `(..., T, D)`, then with value. Taught on: book/how_to_read."""
    frames = key.shape[-2]
    return query.numel() * frames + query.numel() // query.shape[-1] * frames * value.shape[-1]


def _self_attention(args, out=None) -> int:
    query, key, value, width = args[:4]
    steps, others = query.numel() // query.shape[-1], key.shape[1]
    inside = steps * width**2 + 2 * (key.numel() // key.shape[-1]) * width**2  # to queries, keys and values
    return inside + 2 * steps * others * width + steps * width**2


def _encoder_layer(args, out) -> int:
    data, width = args[0], args[1]
    weights = next(w for w in args[7:] if isinstance(w, torch.Tensor) and w.dim() == 2 and w.shape != (width, width))
    return _self_attention((data, data, data, width)) + 2 * (data.numel() // width) * weights.numel()


def _trilinear(args, out) -> int:
    first, weight = args[:2]  # (B, 1, I, 1) and (1, O, I, J); the other input is (B, 1, 1, J)
    outputs, inputs, others = weight.shape[-3:]
    return _real(weight) * (first.numel() // inputs) * (outputs * inputs * others + outputs * others)


def _grid(args, out) -> int:
    axes = args[0].dim() - 2
    return out.numel() * GRID_TAPS[args[2]] ** axes


RARE = {
    aten._native_multi_head_attention: _self_attention,
    aten._transformer_encoder_layer_fwd: _encoder_layer,
    aten._trilinear: _trilinear,
    aten.conv_tbc: lambda args, out: out.numel() * args[1].shape[0] * args[1].shape[1],
    **dict.fromkeys(GRIDS, _grid),
    **{packet: lambda args, out, taps=taps: out.numel() * taps for packet, taps in TAPS.items()},
}


def is_free(func, args) -> bool:
    """Whether an operation counts as 0: element-wise, a reduction, a view, a look-up, a copy, or made from nothing.

    Taught on: book/how_to_read
    """
    if is_pointwise(func) or torch.Tag.reduction in func.tags:
        return True
    if any(value.alias_info is not None and not value.alias_info.is_write for value in func._schema.returns):
        return True
    name = func.overloadpacket.__name__
    return is_made(func) or name.removesuffix("_") in FREE or name in NAMED


def is_made(func) -> bool:
    """Whether an operation makes a tensor that depends on no other's values. Taught on: book/how_to_read."""
    name = func.overloadpacket.__name__
    if name.startswith("new_") or name.endswith("_like"):
        return True
    return not any("Tensor" in str(argument.type) for argument in func._schema.arguments)


def is_named(func) -> bool:
    """Whether an operation counts as 0 by convention, but is told all the same. Taught on: book/how_to_read."""
    return func.overloadpacket.__name__ in NAMED


def label(func) -> str:
    """Name an operation for the list of what is not counted. Taught on: book/how_to_read."""
    name = func.overloadpacket.__name__
    if func.namespace != "aten":
        return f"{func.namespace}.{name}"
    return NAMED.get(name, name.strip("_"))
