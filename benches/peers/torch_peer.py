"""torch in eager mode: fused optimizers, batches by index_select, gradients set to None."""

from __future__ import annotations

import numpy as np
import torch

from .workloads import Workload, data, first_weights

NAME = "torch eager"
VERSION = torch.__version__
torch.set_num_interop_threads(1)


class Peer:
    """A Sequential of Linear and ReLU or Tanh; its weights are ours, transposed."""

    def __init__(self, workload: Workload, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.workload = workload
        x, y = data(workload)
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)
        self.loss = torch.nn.CrossEntropyLoss() if workload.classifies else torch.nn.MSELoss()
        self.start()

    def start(self) -> None:
        layers: list[torch.nn.Module] = []
        activation = torch.nn.Tanh if self.workload.activation == "tanh" else torch.nn.ReLU
        for w, b in zip(*first_weights(self.workload), strict=True):
            linear = torch.nn.Linear(*w.shape)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(w.T.copy()))
                linear.bias.copy_(torch.from_numpy(b))
            layers += [linear, activation()]
        self.model = torch.nn.Sequential(*layers[:-1])
        kind = torch.optim.SGD if self.workload.optimizer == "sgd" else torch.optim.Adam
        self.optimizer = kind(self.model.parameters(), lr=self.workload.learning_rate, fused=True)

    def step(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.model(x), y).backward()
        self.optimizer.step()

    def few_steps(self, steps: int) -> list[np.ndarray]:
        self.start()
        for rows in torch.arange(steps * self.workload.batch).split(self.workload.batch):
            self.step(self.x.index_select(0, rows), self.y.index_select(0, rows))
        found = [p.detach().numpy().T for p in self.model.parameters()]
        self.start()
        return found

    def fit(self, epochs: int) -> None:
        for _ in range(epochs):
            if not self.workload.shuffles:
                self.step(self.x, self.y)
                continue
            for rows in torch.randperm(self.workload.rows).split(self.workload.batch):
                self.step(self.x.index_select(0, rows), self.y.index_select(0, rows))

    def step_on(self, rows: int):
        x, y = self.x[:rows].clone(), self.y[:rows].clone()
        return lambda: self.step(x, y)

    def predict_on(self, rows: int):
        x = self.x[:rows].clone()
        link = torch.nn.functional.softmax if self.workload.classifies else None

        @torch.inference_mode()
        def predict() -> np.ndarray:
            a = self.model(x)
            return (link(a, dim=1) if link else a).numpy()

        return predict
