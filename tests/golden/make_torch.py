"""Writes torch.json: PyTorch's results in float64, with which tests/test_reference_torch.py compares.

    python tests/golden/make_torch.py

It uses only PyTorch's own functions and optimizers, nothing of chainrule.
"""

import json
from pathlib import Path

import torch
from torch.nn import functional

torch.set_default_dtype(torch.float64)

Z = [-700.0, -30.0, -3.0, -1.0, -0.25, -1e-9, 0.0, 1e-9, 0.25, 1.0, 3.0, 30.0, 700.0]
ACTIVATIONS = {
    "identity": ({}, lambda z: z),
    "sigmoid": ({}, torch.sigmoid),
    "tanh": ({}, torch.tanh),
    "relu": ({}, torch.relu),
    "leaky_relu": ({"negative_slope": 0.2}, lambda z: functional.leaky_relu(z, 0.2)),
    "elu": ({"alpha": 0.7}, lambda z: functional.elu(z, 0.7)),
    "selu": ({}, functional.selu),
    "softplus": ({}, functional.softplus),
    "silu": ({}, functional.silu),
    "gelu": ({}, functional.gelu),
    "gelu_tanh": ({}, lambda z: functional.gelu(z, approximate="tanh")),
    "mish": ({}, functional.mish),
    "softsign": ({}, functional.softsign),
    "hard_sigmoid": ({}, functional.hardsigmoid),
    "hard_tanh": ({}, functional.hardtanh),
    "hard_silu": ({}, functional.hardswish),
}
SOFTMAX_Z = [[0.0, 0.0, 0.0], [1.0, -2.0, 0.5], [700.0, 699.0, -700.0], [-30.0, 0.0, 1e-9], [-800.0, -801.0, -799.5]]
SOFTMAX_D_A = [[1.0, -2.0, 0.5], [0.3, 0.1, -0.7], [1.0, 0.0, 2.0], [-1.0, 5.0, 0.25], [2.0, 1.0, -1.0]]

OUTPUTS = [[0.3, -1.2, 2.0], [1.5, 0.0, -0.7], [-40.0, 25.0, 0.1], [600.0, -600.0, 3.0]]
TARGETS = [[0.5, 1.0, -2.0], [0.0, 0.25, 3.0], [-1.0, 2.0, 0.1], [600.5, -599.0, 2.0]]
PROBABILITIES = [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.25, 0.5, 0.25]]
LABELS = [2, 0, 1, 1]
FLAGS = [[0.0, 1.0, 0.25], [1.0, 1.0, 0.0], [0.0, 1.0, 0.5], [1.0, 0.0, 0.75]]
SAMPLE_WEIGHT = [1.0, 0.5, 2.0, 0.0]
SIDES = [[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0], [-1.0, 1.0, -1.0], [1.0, 1.0, -1.0]]
# Rates that stay within reason, and means with the logarithms of variances; hinges with outputs near the margin.
LOG_RATES = [[0.3, -1.2, 2.0], [1.5, 0.0, -0.7], [-40.0, 25.0, 0.1], [3.0, -30.0, 3.0]]
COUNTS = [[0.0, 1.0, 9.0], [4.0, 0.5, 0.0], [0.0, 2.0, 1.0], [20.0, 0.0, 2.0]]
MEANS = [[0.3, -1.2, 2.0, 0.1], [1.5, 0.0, -3.7, 5.0], [-40.0, 25.0, -50.0, 0.0], [0.5, 0.5, -1.0, 1.0]]
UNCERTAIN = [[0.5, 1.0], [0.0, 0.25], [-40.0001, 24.0], [1.0, 0.5]]


def mean(rows):
    """The mean over outputs of what a function gives for each."""
    return lambda a, y: rows(a, y).mean(dim=1)


def per_output(function, **options):
    """The mean over outputs of one of PyTorch's own losses."""
    return mean(lambda a, y: function(a, y, reduction="none", **options))


def pinball(q):
    """Koenker & Bassett 1978."""
    return mean(lambda a, y: torch.maximum(q * (y - a), (q - 1) * (y - a)))


def log_cosh(a, y):
    """Keras: |d| + softplus(−2 |d|) − ln 2."""
    d = (a - y).abs()
    return d + functional.softplus(-2 * d) - torch.log(torch.tensor(2.0))


def gaussian_nll(eps):
    """PyTorch's, of variances exp(s) + eps."""

    def rows(a, y):
        mean, s = a.chunk(2, dim=1)
        return functional.gaussian_nll_loss(mean, y, s.exp() + eps, eps=eps, reduction="none").mean(dim=1)

    return rows


def cross_entropy(**options):
    """PyTorch's, of labels or probabilities."""
    return lambda a, y: functional.cross_entropy(a, y, reduction="none", **options)


def focal(gamma):
    """Lin et al. 2017, §3.2, of a softmax."""

    def rows(a, y):
        y = functional.one_hot(y, a.shape[1]) if y.ndim == 1 else y
        log_p = torch.log_softmax(a, dim=1)
        return (y * (1 - log_p.exp()) ** gamma * -log_p).sum(dim=1)

    return rows


def binary_focal(gamma, alpha):
    """Lin et al. 2017, §3, of a sigmoid."""

    def rows(a, y):
        p, log_p, log_q = a.sigmoid(), functional.logsigmoid(a), functional.logsigmoid(-a)
        return -(alpha * y * (1 - p) ** gamma * log_p + (1 - alpha) * (1 - y) * p**gamma * log_q).sum(dim=1)

    return rows


LOSSES = [
    ({"name": "mse"}, OUTPUTS, TARGETS, per_output(functional.mse_loss)),
    (
        {"name": "half_squared_error"},
        OUTPUTS,
        TARGETS,
        lambda a, y: 0.5 * functional.mse_loss(a, y, reduction="none").sum(dim=1),
    ),
    ({"name": "absolute_error"}, OUTPUTS, TARGETS, per_output(functional.l1_loss)),
    ({"name": "huber", "delta": 1.0}, OUTPUTS, TARGETS, per_output(functional.huber_loss)),
    ({"name": "huber", "delta": 0.3}, OUTPUTS, TARGETS, per_output(functional.huber_loss, delta=0.3)),
    ({"name": "log_cosh"}, OUTPUTS, TARGETS, mean(log_cosh)),
    ({"name": "quantile", "quantile": 0.5}, OUTPUTS, TARGETS, pinball(0.5)),
    # Where a = y PyTorch halves between the slopes of either side.
    ({"name": "quantile", "quantile": 0.9}, LOG_RATES, COUNTS, pinball(0.9)),
    ({"name": "poisson"}, LOG_RATES, COUNTS, per_output(functional.poisson_nll_loss)),
    ({"name": "gaussian_nll", "eps": 1e-6}, MEANS, UNCERTAIN, gaussian_nll(1e-6)),
    ({"name": "gaussian_nll", "eps": 0.5}, MEANS, UNCERTAIN, gaussian_nll(0.5)),
    ({"name": "cross_entropy", "label_smoothing": 0.0}, OUTPUTS, LABELS, cross_entropy()),
    ({"name": "cross_entropy", "label_smoothing": 0.0}, OUTPUTS, PROBABILITIES, cross_entropy()),
    ({"name": "cross_entropy", "label_smoothing": 0.1}, OUTPUTS, LABELS, cross_entropy(label_smoothing=0.1)),
    ({"name": "cross_entropy", "label_smoothing": 0.3}, OUTPUTS, PROBABILITIES, cross_entropy(label_smoothing=0.3)),
    (
        {"name": "kl_divergence"},
        OUTPUTS,
        PROBABILITIES,
        lambda a, y: functional.kl_div(torch.log_softmax(a, dim=1), y, reduction="none").sum(dim=1),
    ),
    ({"name": "focal", "gamma": 2.0}, LOG_RATES, LABELS, focal(2.0)),
    ({"name": "focal", "gamma": 2.0}, LOG_RATES, PROBABILITIES, focal(2.0)),
    ({"name": "focal", "gamma": 0.5}, MEANS, LABELS, focal(0.5)),
    (
        {"name": "binary_cross_entropy"},
        OUTPUTS,
        FLAGS,
        lambda a, y: functional.binary_cross_entropy_with_logits(a, y, reduction="none").sum(dim=1),
    ),
    ({"name": "binary_focal", "gamma": 2.0, "alpha": 0.25}, LOG_RATES, FLAGS, binary_focal(2.0, 0.25)),
    ({"name": "binary_focal", "gamma": 0.5, "alpha": 0.6}, LOG_RATES, FLAGS, binary_focal(0.5, 0.6)),
    ({"name": "hinge"}, OUTPUTS, SIDES, mean(lambda a, y: (1 - y * a).clamp(min=0))),
    ({"name": "squared_hinge"}, OUTPUTS, SIDES, mean(lambda a, y: (1 - y * a).clamp(min=0) ** 2)),
]


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, algorithm 2, which PyTorch has not."""

    def __init__(self, p, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(p, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        """Update every parameter."""
        for group in self.param_groups:
            beta_1, beta_2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                c = beta_1 * m + (1 - beta_1) * p.grad
                p -= group["lr"] * (torch.sign(c) + group["weight_decay"] * p)
                m.copy_(beta_2 * m + (1 - beta_2) * p.grad)


ADAM = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "eps": 1e-8}
# Each optimizer, and the same in PyTorch; those made without arguments show that the defaults are PyTorch's.
OPTIMIZERS = [
    ({"name": "sgd", "learning_rate": 0.1, "momentum": 0.0, "nesterov": False}, lambda p: torch.optim.SGD(p, lr=0.1)),
    (
        {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": False},
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    ),
    (
        {"name": "sgd", "learning_rate": 0.05, "momentum": 0.8, "nesterov": True},
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.8, nesterov=True),
    ),
    ({"name": "adam", **ADAM}, torch.optim.Adam),
    (
        {"name": "adam", "learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.99, "eps": 1e-6},
        lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.99), eps=1e-6),
    ),
    ({"name": "adamw", **ADAM, "weight_decay": 0.01}, torch.optim.AdamW),
    (
        {"name": "adamw", **ADAM, "learning_rate": 0.02, "weight_decay": 0.1},
        lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.1),
    ),
    ({"name": "amsgrad", **ADAM}, lambda p: torch.optim.Adam(p, amsgrad=True)),
    (  # v forgets fast enough to fall below v_max
        {"name": "amsgrad", "learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.7, "eps": 1e-6},
        lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.8, 0.7), eps=1e-6, amsgrad=True),
    ),
    ({"name": "adamax", **ADAM, "learning_rate": 0.002}, torch.optim.Adamax),
    (
        {"name": "adamax", "learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.7, "eps": 1e-3},
        lambda p: torch.optim.Adamax(p, lr=0.1, betas=(0.8, 0.7), eps=1e-3),
    ),
    ({"name": "nadam", **ADAM, "learning_rate": 0.002, "momentum_decay": 0.004}, torch.optim.NAdam),
    (
        {"name": "nadam", "learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.99, "eps": 1e-6, "momentum_decay": 5.0},
        lambda p: torch.optim.NAdam(p, lr=0.05, betas=(0.8, 0.99), eps=1e-6, momentum_decay=5.0),
    ),
    ({"name": "radam", **ADAM}, torch.optim.RAdam),  # by the mean alone up to step 5
    (
        {"name": "radam", "learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.8, "eps": 1e-3},
        lambda p: torch.optim.RAdam(p, lr=0.05, betas=(0.8, 0.8), eps=1e-3),
    ),
    ({"name": "rmsprop", "learning_rate": 0.01, "rho": 0.99, "eps": 1e-8}, torch.optim.RMSprop),
    (
        {"name": "rmsprop", "learning_rate": 0.01, "rho": 0.9, "eps": 1e-8},
        lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9),
    ),
    ({"name": "adagrad", "learning_rate": 0.01, "eps": 1e-10}, torch.optim.Adagrad),
    ({"name": "adagrad", "learning_rate": 0.2, "eps": 1e-3}, lambda p: torch.optim.Adagrad(p, lr=0.2, eps=1e-3)),
    ({"name": "adadelta", "learning_rate": 1.0, "rho": 0.9, "eps": 1e-6}, torch.optim.Adadelta),
    (
        {"name": "adadelta", "learning_rate": 0.5, "rho": 0.7, "eps": 1e-3},
        lambda p: torch.optim.Adadelta(p, lr=0.5, rho=0.7, eps=1e-3),
    ),
    (
        {
            "name": "rprop",
            "learning_rate": 0.01,
            "eta_minus": 0.5,
            "eta_plus": 1.2,
            "step_min": 1e-6,
            "step_max": 50.0,
        },
        torch.optim.Rprop,
    ),
    (  # signs turn, and both bounds are met
        {
            "name": "rprop",
            "learning_rate": 0.1,
            "eta_minus": 0.3,
            "eta_plus": 1.5,
            "step_min": 0.02,
            "step_max": 0.2,
        },
        lambda p: torch.optim.Rprop(p, lr=0.1, etas=(0.3, 1.5), step_sizes=(0.02, 0.2)),
    ),
    ({"name": "lion", "learning_rate": 1e-4, "beta_1": 0.9, "beta_2": 0.99, "weight_decay": 0.0}, Lion),
    (
        {"name": "lion", "learning_rate": 0.05, "beta_1": 0.7, "beta_2": 0.8, "weight_decay": 0.5},
        lambda p: Lion(p, lr=0.05, betas=(0.7, 0.8), weight_decay=0.5),
    ),
]
STEPS = 10


def activation(options, f):
    """Values and slopes of one activation function."""
    z = torch.tensor(Z, requires_grad=True)
    a = f(z)
    (slope,) = torch.autograd.grad(a.sum(), z)
    return {"options": options, "z": Z, "a": a.tolist(), "slope": slope.tolist()}


def softmax():
    """Values of softmax, and what becomes of an error on its way back."""
    z = torch.tensor(SOFTMAX_Z, requires_grad=True)
    a = torch.softmax(z, dim=1)
    (delta,) = torch.autograd.grad(a, z, torch.tensor(SOFTMAX_D_A))
    return {"z": SOFTMAX_Z, "a": a.tolist(), "d_a": SOFTMAX_D_A, "delta": delta.tolist()}


def loss(option, outputs, y, rows):
    """The weighted mean of a loss, and its slope along the outputs."""
    a = torch.tensor(outputs, requires_grad=True)
    w = torch.tensor(SAMPLE_WEIGHT)
    value = (w * rows(a, torch.tensor(y))).sum() / w.sum()
    (d_a,) = torch.autograd.grad(value, a)
    return {
        "option": option,
        "a": outputs,
        "y": y,
        "sample_weight": SAMPLE_WEIGHT,
        "loss": value.item(),
        "d_a": d_a.tolist(),
    }


def start():
    """The network 3-4-2 that all optimizers begin with: parameters in chainrule's order, samples, targets."""
    generator = torch.Generator().manual_seed(0)

    def numbers(*shape):
        return torch.randn(*shape, generator=generator).mul(1000).round().div(1000)

    return {
        "layers": [3, 4, 2],
        "activation": "tanh",
        "loss": "mse",
        "parameters": torch.cat([numbers(12), 0.1 * numbers(4), numbers(8), 0.1 * numbers(2)]).tolist(),
        "X": numbers(5, 3).tolist(),
        "y": numbers(5, 2).tolist(),
    }


def train(network, option, make):
    """Ten steps of an optimizer on all samples: the losses before each, all parameters after the first and the last."""
    p = torch.tensor(network["parameters"])
    parts = [p[:12].view(3, 4), p[12:16], p[16:24].view(4, 2), p[24:]]
    w1, b1, w2, b2 = parameters = [part.clone().requires_grad_() for part in parts]
    optimizer = make(parameters)
    x, y = torch.tensor(network["X"]), torch.tensor(network["y"])
    losses, after = [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = functional.mse_loss(torch.tanh(x @ w1 + b1) @ w2 + b2, y)
        value.backward()
        optimizer.step()
        losses.append(value.item())
        after.append(torch.cat([part.detach().flatten() for part in parameters]).tolist())
    return {"option": option, "losses": losses, "after_1": after[0], f"after_{STEPS}": after[-1]}


def main():
    """Write the file."""
    network = start()
    golden = {
        "made_by": "tests/golden/make_torch.py",
        "torch": torch.__version__,
        "activations": {name: activation(options, f) for name, (options, f) in ACTIVATIONS.items()},
        "softmax": softmax(),
        "losses": [loss(*entry) for entry in LOSSES],
        "network": network,
        "optimizers": [train(network, option, make) for option, make in OPTIMIZERS],
    }
    Path(__file__).with_name("torch.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
