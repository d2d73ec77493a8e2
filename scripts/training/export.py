"""Write a network as an ONNX file of 8-bit weights that takes one document at a time."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from training.encoder import HIDDEN
from training.network import Network

INPUTS = ("vectors", "piece_shapes", "first", "last", "shapes", "rows")


class Whole(nn.Module):
    """The network without masks, for a batch in which nothing is padded."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        vectors: Tensor,
        piece_shapes: Tensor,
        first: Tensor,
        last: Tensor,
        shapes: Tensor,
        rows: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Tag scores, and the plural and introduced scores side by side."""
        everything = torch.ones_like(piece_shapes, dtype=torch.bool)
        mask = torch.ones_like(first, dtype=torch.bool)
        states = self.network.encoder.states(vectors, piece_shapes, everything)
        scores, plural, introduced = self.network.read(states, first, last, shapes, rows, mask)
        return scores, torch.stack([plural, introduced], dim=2)


def small_tables(model: onnx.ModelProto, least: int = 20_000) -> None:
    """Store the large float tables that are left in 8 bit, with a scale a row."""
    graph = model.graph
    gathered = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    kept, nodes = [], []
    for table in graph.initializer:
        values = numpy_helper.to_array(table)
        if values.dtype != np.float32 or values.size < least or values.ndim < 2:
            kept.append(table)
            continue
        flat = values.reshape(values.shape[0], -1)
        scale = np.maximum(np.abs(flat).max(axis=1, keepdims=True), 1e-8) / 127
        whole = np.rint(flat / scale).astype(np.int8).reshape(values.shape)
        wide = scale.astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
        small, scales = f"{table.name}.small", f"{table.name}.scale"
        kept += [numpy_helper.from_array(whole, small), numpy_helper.from_array(wide, scales)]
        if table.name in gathered:
            for node in [
                node
                for node in graph.node
                if node.op_type == "Gather" and node.input[0] == table.name
            ]:
                rows, factors, cast = (
                    f"{node.output[0]}.rows",
                    f"{node.output[0]}.factors",
                    f"{node.output[0]}.cast",
                )
                at = list(graph.node).index(node)
                made = [
                    helper.make_node("Gather", [small, node.input[1]], [rows], axis=0),
                    helper.make_node("Gather", [scales, node.input[1]], [factors], axis=0),
                    helper.make_node("Cast", [rows], [cast], to=TensorProto.FLOAT),
                    helper.make_node("Mul", [cast, factors], [node.output[0]]),
                ]
                graph.node.remove(node)
                for offset, new in enumerate(made):
                    graph.node.insert(at + offset, new)
        else:
            nodes.append(
                helper.make_node("Cast", [small], [f"{table.name}.cast"], to=TensorProto.FLOAT)
            )
            nodes.append(helper.make_node("Mul", [f"{table.name}.cast", scales], [table.name]))
    for offset, new in enumerate(nodes):
        graph.node.insert(offset, new)
    del graph.initializer[:]
    graph.initializer.extend(kept)


def export(network: Network, path: Path, *, integer: tuple[str, ...]) -> None:
    """Write the file; ``integer``: the operators that multiply in 8 bit, not only store so."""
    network.eval()
    rows = network.design.rows
    example = (
        torch.zeros(1, 40, HIDDEN),
        torch.zeros(1, 40, dtype=torch.long),
        torch.arange(1, 31)[None],
        torch.arange(1, 31)[None],
        torch.zeros(1, 30, dtype=torch.long),
        torch.zeros(1, 30, rows),
    )
    axes = {
        name: {1: "pieces" if name in ("vectors", "piece_shapes") else "words"} for name in INPUTS
    }
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain, quantised = Path(folder) / "plain.onnx", Path(folder) / "quantised.onnx"
        torch.onnx.export(
            Whole(network).eval(),
            example,
            str(plain),
            input_names=list(INPUTS),
            output_names=["scores", "extra"],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
        if integer:
            # seven bits, since eight saturate on processors without VNNI
            quantize_dynamic(
                plain,
                quantised,
                op_types_to_quantize=list(integer),
                weight_type=QuantType.QInt8,
                per_channel=True,
                reduce_range=True,
            )
            plain = quantised
        model = onnx.load(plain)
        small_tables(model)
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())


def export_table(network: Network, folder: Path) -> None:
    """Write the vectors of the pieces in 8 bit, with a scale a row, as two ``.npy`` files."""
    table = network.encoder.piece.weight.detach().numpy()
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-8) / 127
    np.save(folder / "pieces.npy", np.rint(table / scale).astype(np.int8), allow_pickle=False)
    np.save(folder / "scales.npy", scale.astype(np.float32), allow_pickle=False)
