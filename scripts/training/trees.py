"""Boosted trees: fit them, and write them as an ONNX graph that onnxruntime reads."""

from __future__ import annotations

import collections
import gzip
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import onnx
from onnx import TensorProto, helper

#: What all boosted trees here have in common; the seed and one thread make them the same again.
BINARY: dict[str, Any] = {
    "objective": "binary",
    "num_leaves": 15,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5,
    "verbose": -1,
    "num_threads": 1,
    "seed": 1,
    "deterministic": True,
    "force_col_wise": True,
}


def fit(table: np.ndarray, answers: np.ndarray, parameters: dict[str, Any], rounds: int) -> Any:
    """Return boosted trees."""
    return lightgbm.train(parameters, lightgbm.Dataset(table, answers), rounds)


def flat(trees: Any) -> list[list[tuple[int, float, int, int, float]]]:
    """Return trees as lists of nodes: column (-1 at a leaf), bound, left, right, value."""
    found = []
    for tree in trees.dump_model()["tree_info"]:
        nodes: list[tuple[int, float, int, int, float]] = []
        _flatten(tree["tree_structure"], nodes)
        found.append(nodes)
    return found


def _flatten(node: Mapping[str, Any], nodes: list[tuple[int, float, int, int, float]]) -> int:
    place = len(nodes)
    nodes.append((-1, 0.0, 0, 0, 0.0))
    if "split_feature" in node:
        left = _flatten(node["left_child"], nodes)
        right = _flatten(node["right_child"], nodes)
        nodes[place] = (node["split_feature"], node["threshold"], left, right, 0.0)
    else:
        nodes[place] = (-1, 0.0, 0, 0, node["leaf_value"])
    return place


def ensemble(trees: Any, table: str, output: str) -> onnx.NodeProto:
    """Return trees as one node of an ONNX graph."""
    said: dict[str, list[Any]] = collections.defaultdict(list)
    for tree, nodes in enumerate(flat(trees)):
        for place, (column, bound, left, right, value) in enumerate(nodes):
            said["nodes_treeids"].append(tree)
            said["nodes_nodeids"].append(place)
            said["nodes_featureids"].append(max(column, 0))
            said["nodes_values"].append(float(bound))
            said["nodes_modes"].append("LEAF" if column < 0 else "BRANCH_LEQ")
            said["nodes_truenodeids"].append(left)
            said["nodes_falsenodeids"].append(right)
            if column < 0:
                said["target_treeids"].append(tree)
                said["target_nodeids"].append(place)
                said["target_ids"].append(0)
                said["target_weights"].append(float(value))
    return helper.make_node(
        "TreeEnsembleRegressor",
        [table],
        [output],
        name=output,
        domain="ai.onnx.ml",
        n_targets=1,
        post_transform="NONE",
        **said,
    )


def write(path: Path, heads: Mapping[str, tuple[Any, str]], inputs: Mapping[str, int]) -> None:
    """Write trees as a compressed ONNX graph: ``heads`` maps an output to (trees, input).

    An input ``pairs`` is read through ``rows_<output>``, the rows that the relation admits.
    """
    nodes, values, outputs = [], [], []
    for name, width in inputs.items():
        values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width]))
    for name, (trees, table) in heads.items():
        if table == "pairs":
            rows = helper.make_tensor_value_info(f"rows_{name}", TensorProto.INT64, [None])
            values.append(rows)
            nodes.append(helper.make_node("Gather", [table, f"rows_{name}"], [f"table_{name}"]))
            table = f"table_{name}"
        nodes.append(ensemble(trees, table, f"score_{name}"))
        outputs.append(helper.make_tensor_value_info(f"score_{name}", TensorProto.FLOAT, [None, 1]))
    graph = helper.make_graph(nodes, "linker", values, outputs)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)],
        ir_version=9,
        producer_name="mlkg",
    )
    path.write_bytes(gzip.compress(model.SerializeToString(), 9, mtime=0))


def keep(path: Path, older: Path, heads: Collection[str]) -> None:
    """Put the trees of ``heads`` that ``older`` holds into the graph at ``path``, for its own."""
    new, old = (onnx.load_from_string(gzip.decompress(one.read_bytes())) for one in (path, older))
    outputs = {f"score_{name}" for name in heads}
    trees = {node.name: node for node in old.graph.node if node.name in outputs}
    for node in new.graph.node:
        if node.name in outputs:
            # Which table it reads, and what it writes, are called the same in both.
            node.CopyFrom(trees[node.name])
    path.write_bytes(gzip.compress(new.SerializeToString(), 9, mtime=0))
