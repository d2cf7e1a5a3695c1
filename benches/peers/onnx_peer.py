"""ONNX Runtime, for prediction only: the same network as a graph of Gemm, Relu and Softmax."""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from .workloads import Workload, data, first_weights

NAME = "ONNX Runtime"
VERSION = onnxruntime.__version__


class Peer:
    """One session; it accepts any number of rows, as the other peers do."""

    def __init__(self, workload: Workload, threads: int) -> None:
        self.x, _ = data(workload)
        nodes, tensors, name = [], [], "x"
        layers = list(zip(*first_weights(workload), strict=True))
        for layer, (w, b) in enumerate(layers):
            tensors += [numpy_helper.from_array(w, f"w{layer}"), numpy_helper.from_array(b, f"b{layer}")]
            nodes.append(helper.make_node("Gemm", [name, f"w{layer}", f"b{layer}"], [f"z{layer}"]))
            link = "Relu" if layer < len(layers) - 1 else "Softmax" if workload.classifies else "Identity"
            name = f"a{layer}"
            nodes.append(helper.make_node(link, [f"z{layer}"], [name]))
        shape = helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes,
            "mlp",
            [shape("x", TensorProto.FLOAT, ["n", workload.sizes[0]])],
            [shape(name, TensorProto.FLOAT, ["n", workload.sizes[-1]])],
            tensors,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])

    def predict_on(self, rows: int):
        feed = {"x": np.ascontiguousarray(self.x[:rows])}
        return lambda: self.session.run(None, feed)[0]
