"""How each optimizer's update is written out: its formula, and the same in the numbers of one parameter.

The numbers that an optimizer keeps (m, v, velocity, …) are those of the core, before and after the step. What it does
not keep, such as m_hat and v_hat, is computed from them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from chainrule.reference import optimizers
from chainrule.reference.optimizers.signs import sign

from .writing import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainrule.reference.optimizers import Optimizer

    from .writing import Numbers


class Change(NamedTuple):
    """How one parameter changes, and the lines that say so."""

    letter: str
    before: float
    after: float
    gradient: float
    kept: dict[str, float]  # what the optimizer remembers of the parameter, before the step
    new: dict[str, float]  # and after it
    t: int
    number: Numbers

    def keeps(self, name: str, working: str) -> Step:
        """Return the line of a number that the optimizer keeps."""
        return Step("", f"{name} ←", working, self.number(self.new[name]))

    def mean(self, name: str, decay: float, new: str = "") -> Step:
        """Return the line of decay · old + (1 − decay) · new, which is d_w unless given."""
        share = self.number(1.0 - decay)
        return self.keeps(name, f"{self.number.product(decay, self.kept[name])} + {share}·{new or self.d}")

    def corrected(self, name: str, decay: float) -> tuple[float, str]:
        """Return what a mean that started at 0 would be without that start, with its calculation."""
        working = f"{self.number(self.new[name])}/(1 − {self.number(decay)}^{self.t})"
        return self.new[name] / (1.0 - decay**self.t), working

    def moves(self, working: str) -> Step:
        """Return the line of the parameter."""
        return Step("", f"{self.letter} ←", working, self.number(self.after))

    def less(self, *factors: float, decay: float = 0.0) -> str:
        """Return w − the product of the factors, the first of which is the learning rate; w shrinks by a decay."""
        shrunk = f"(1 − {self.number.product(factors[0], decay)})·{self.number.factor(self.before)}"
        return f"{shrunk if decay else self.number(self.before)} − {self.number.product(*factors)}"

    @property
    def d(self) -> str:
        """The gradient."""
        return self.number.factor(self.gradient)

    def root(self, square: float, eps: float) -> str:
        """Return √square + eps in parentheses."""
        return f"(√{self.number(square)} + {self.number(eps)})"


def sgd(o: optimizers.SGD, c: Change) -> Iterator[Step]:
    """Descend, with or without momentum."""
    if o.momentum == 0.0:
        yield c.moves(c.less(o.rate(c.t), c.gradient))
        return
    yield c.keeps("velocity", f"{c.number.product(o.momentum, c.kept['velocity'])} + {c.d}")
    velocity = c.new["velocity"]
    if o.nesterov:
        yield c.moves(f"{c.less(o.rate(c.t))}·({c.number(c.gradient)} + {c.number.product(o.momentum, velocity)})")
    else:
        yield c.moves(c.less(o.rate(c.t), velocity))


def adam(o: optimizers.Adam, c: Change) -> Iterator[Step]:
    """Divide the mean gradient by its typical size, both corrected for their start at 0."""
    yield from moments(o, c)
    second = "v"
    if "v_max" in c.new:  # AMSGrad
        second = "v_max"
        yield c.keeps(second, f"max({c.number(c.kept[second])}, {c.number(c.new['v'])})")
    m_hat, working = c.corrected("m", o.beta_1)
    yield Step("", "m_hat =", working, c.number(m_hat))
    v_hat, working = c.corrected(second, o.beta_2)
    yield Step("", "v_hat =", working, c.number(v_hat))
    moved = c.less(o.rate(c.t), m_hat, decay=getattr(o, "weight_decay", 0.0))
    yield c.moves(f"{moved}/{c.root(v_hat, o.eps)}")


def moments(o: optimizers.Adam, c: Change) -> Iterator[Step]:
    """Show the means of the gradients and of their squares."""
    yield c.mean("m", o.beta_1)
    yield c.mean("v", o.beta_2, f"{c.d}²")


def adamax(o: optimizers.Adamax, c: Change) -> Iterator[Step]:
    """Divide the mean gradient by the largest recent one."""
    yield c.mean("m", o.beta_1)
    old, size = c.number.product(o.beta_2, c.kept["u"]), f"{c.number(abs(c.gradient))} + {c.number(o.eps)}"
    yield c.keeps("u", f"max({old}, {size})")
    m_hat, working = c.corrected("m", o.beta_1)
    yield Step("", "m_hat =", working, c.number(m_hat))
    yield c.moves(f"{c.less(o.rate(c.t), m_hat)}/{c.number(c.new['u'])}")


def nadam(o: optimizers.NAdam, c: Change) -> Iterator[Step]:
    """Look ahead along the momentum."""
    yield from moments(o, c)
    mu, following, product = o.momentum(c.t), o.momentum(c.t + 1), o.product(c.t)
    m_hat = c.gradient * (1.0 - mu) / (1.0 - product) + c.new["m"] * following / (1.0 - product * following)
    now = f"{c.number.product(c.gradient, 1.0 - mu)}/(1 − {c.number(product)})"
    ahead = f"{c.number.product(c.new['m'], following)}/(1 − {c.number.product(product, following)})"
    yield Step("", "m_hat =", f"{now} + {ahead}", c.number(m_hat))
    v_hat, working = c.corrected("v", o.beta_2)
    yield Step("", "v_hat =", working, c.number(v_hat))
    yield c.moves(f"{c.less(o.rate(c.t), m_hat)}/{c.root(v_hat, o.eps)}")


def radam(o: optimizers.RAdam, c: Change) -> Iterator[Step]:
    """Follow the mean gradient alone until v averages enough squares."""
    yield from moments(o, c)
    m_hat, working = c.corrected("m", o.beta_1)
    yield Step("", "m_hat =", working, c.number(m_hat))
    r, moved = o.rectification(c.t), c.less(o.rate(c.t), m_hat)
    if r is None:
        yield c.moves(moved)
    else:
        scale = f"{c.number(r)}·√(1 − {c.number(o.beta_2)}^{c.t})"
        yield c.moves(f"{moved}·{scale}/{c.root(c.new['v'], o.eps)}")


def rmsprop(o: optimizers.RMSprop, c: Change) -> Iterator[Step]:
    """Divide by the root mean square of recent gradients."""
    yield c.mean("v", o.rho, f"{c.d}²")
    yield c.moves(f"{c.less(o.rate(c.t), c.gradient)}/{c.root(c.new['v'], o.eps)}")


def adagrad(o: optimizers.Adagrad, c: Change) -> Iterator[Step]:
    """Divide by the root of the sum of all squares."""
    yield c.keeps("v", f"{c.number(c.kept['v'])} + {c.d}²")
    yield c.moves(f"{c.less(o.rate(c.t), c.gradient)}/{c.root(c.new['v'], o.eps)}")


def adadelta(o: optimizers.Adadelta, c: Change) -> Iterator[Step]:
    """Step in proportion to past steps."""
    yield c.mean("v", o.rho, f"{c.d}²")
    u, v, eps = c.kept["u"], c.new["v"], c.number(o.eps)
    d = ((u + o.eps) / (v + o.eps)) ** 0.5 * c.gradient
    yield Step("", "d =", f"√({c.number(u)} + {eps})/√({c.number(v)} + {eps})·{c.d}", c.number(d))
    yield c.mean("u", o.rho, f"{c.number.factor(d)}²")
    yield c.moves(c.less(o.rate(c.t), d))


def rprop(o: optimizers.Rprop, c: Change) -> Iterator[Step]:
    """Step by a size of its own that grows while the sign stays."""
    turn = sign(c.gradient) * sign(c.kept["previous_gradient"])
    old, size = (c.kept["step_size"] if c.t > 1 else o.rate(c.t)), c.new["step_size"]
    factor = {1.0: o.eta_plus, 0.0: 1.0, -1.0: o.eta_minus}.get(turn, 1.0)
    working = c.number.product(old, factor)
    if old * factor > o.step_max:
        working = f"min({working}, {c.number(o.step_max)})"
    elif old * factor < o.step_min:
        working = f"max({working}, {c.number(o.step_min)})"
    yield c.keeps("step_size", working)
    yield c.moves(c.less(size, sign(c.new["previous_gradient"])))


def lion(o: optimizers.Lion, c: Change) -> Iterator[Step]:
    """Step by the learning rate in the direction of momentum and gradient."""
    mean = o.beta_1 * c.kept["m"] + (1.0 - o.beta_1) * c.gradient
    working = f"{c.number.product(o.beta_1, c.kept['m'])} + {c.number(1.0 - o.beta_1)}·{c.d}"
    yield Step("", "c =", working, c.number(mean))
    yield c.moves(c.less(o.rate(c.t), sign(mean), decay=o.weight_decay))
    yield c.mean("m", o.beta_2)


M, V = "m ← beta_1·m + (1 − beta_1)·d_w", "v ← beta_2·v + (1 − beta_2)·d_w²"
M_HAT, V_HAT = "m_hat = m/(1 − beta_1^t)", "v_hat = v/(1 − beta_2^t)"
BY_ROOT = "w ← w − learning_rate·d_w/(√v + eps)"
BY_HATS = "w ← w − learning_rate·m_hat/(√v_hat + eps)"
SHRUNK = "w ← (1 − learning_rate·weight_decay)·w −"
Formula: TypeAlias = tuple[str, ...]
#: Of each optimizer the formula, in which w stands for every parameter, and the lines in numbers.
UPDATES: dict[type[Optimizer], tuple[Formula, Callable[[Any, Change], Iterator[Step]]]] = {
    optimizers.SGD: (("w ← w − learning_rate·d_w",), sgd),
    optimizers.Adam: ((M, V, M_HAT, V_HAT, BY_HATS), adam),
    optimizers.AdamW: ((M, V, M_HAT, V_HAT, BY_HATS.replace("w ← w −", SHRUNK)), adam),
    optimizers.AMSGrad: ((M, V, "v_max ← max(v_max, v)", M_HAT, "v_hat = v_max/(1 − beta_2^t)", BY_HATS), adam),
    optimizers.Adamax: ((M, "u ← max(beta_2·u, |d_w| + eps)", M_HAT, "w ← w − learning_rate·m_hat/u"), adamax),
    optimizers.NAdam: (
        (
            M,
            V,
            "mu_t = beta_1·(1 − 0.96^(t·momentum_decay)/2)",
            "P = mu_1·mu_2·…·mu_t",
            "m_hat = d_w·(1 − mu_t)/(1 − P) + m·mu_(t + 1)/(1 − P·mu_(t + 1))",
            V_HAT,
            BY_HATS,
        ),
        nadam,
    ),
    optimizers.RAdam: (
        (
            M,
            V,
            M_HAT,
            "w ← w − learning_rate·m_hat in the first steps, while v averages few squares; then",
            "w ← w − learning_rate·m_hat·r·√(1 − beta_2^t)/(√v + eps) with r that grows to 1",
        ),
        radam,
    ),
    optimizers.RMSprop: (("v ← rho·v + (1 − rho)·d_w²", BY_ROOT), rmsprop),
    optimizers.Adagrad: (("v ← v + d_w²", BY_ROOT), adagrad),
    optimizers.Adadelta: (
        (
            "v ← rho·v + (1 − rho)·d_w²",
            "d = √(u + eps)/√(v + eps)·d_w",
            "u ← rho·u + (1 − rho)·d²",
            "w ← w − learning_rate·d",
        ),
        adadelta,
    ),
    optimizers.Rprop: (
        (
            "step_size ← step_size·eta_plus where d_w keeps its sign, step_size·eta_minus where it changes",
            "step_size = learning_rate at first",
            "w ← w − step_size·sign(d_w), and w where the sign changes",
        ),
        rprop,
    ),
    optimizers.Lion: (
        (
            "c = beta_1·m + (1 − beta_1)·d_w",
            f"{SHRUNK} learning_rate·sign(c)",
            "m ← beta_2·m + (1 − beta_2)·d_w",
        ),
        lion,
    ),
}


def formula(optimizer: Optimizer) -> Formula:
    """Return the formula of an optimizer, line by line.

    >>> formula(optimizers.SGD(momentum=0.9))
    ('velocity ← momentum·velocity + d_w', 'w ← w − learning_rate·velocity')
    """
    if isinstance(optimizer, optimizers.SGD) and optimizer.momentum > 0.0:
        direction = "(d_w + momentum·velocity)" if optimizer.nesterov else "velocity"
        return "velocity ← momentum·velocity + d_w", f"w ← w − learning_rate·{direction}"
    return UPDATES[type(optimizer)][0]


def rule(optimizer: Optimizer, t: int, number: Numbers) -> list[Step]:
    """Return the formula, and the numbers in it that all parameters share."""
    steps = []
    for line in formula(optimizer):
        left, sign, value = re.split(" ([←=]) ", line, maxsplit=1)
        steps.append(Step("", f"{left} {sign}", value, ""))
    shared = {name: getattr(optimizer, name) for name in optimizer.__dataclass_fields__}
    shared |= {"learning_rate": optimizer.rate(t), "t": t}
    used = {name for line in formula(optimizer) for name in re.findall(r"[a-z]\w*", line)}
    told = ", ".join(f"{name} {number(value)}" for name, value in shared.items() if name in used)
    return [*steps, Step("", "with", told, "")]


def lines(optimizer: Optimizer, change: Change) -> Iterator[Step]:
    """Return the calculation of a parameter's update."""
    return UPDATES[type(optimizer)][1](optimizer, change)
