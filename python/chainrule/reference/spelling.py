"""What a misspelled name probably meant: hints for names of options, of fields and of keyword arguments.

Users come from other libraries and type what the thing is called there, or mistype what it is called here. An error
that knows the right name saves them a search.
"""

from __future__ import annotations

import functools
import reprlib
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# What PyTorch, Keras and scikit-learn call a thing, and its name here. Only for hints: nothing is accepted by them.
ELSEWHERE = {
    "acc": "accuracy",
    "bce": "binary_cross_entropy",
    "bcewithlogitsloss": "binary_cross_entropy",
    "betas": "beta_1",
    "binary_crossentropy": "binary_cross_entropy",
    "binary_focal_crossentropy": "binary_focal",
    "categorical_crossentropy": "cross_entropy",
    "categorical_focal_crossentropy": "focal",
    "epsilon": "eps",
    "hardswish": "hard_silu",
    "hardtanh": "hard_tanh",
    "hidden_layer_sizes": "layers",
    "kaiming": "he_uniform",
    "kaiming_normal": "he_normal",
    "kaiming_uniform": "he_uniform",
    "kl_div": "kl_divergence",
    "kldiv": "kl_divergence",
    "kldivloss": "kl_divergence",
    "kullback_leibler": "kl_divergence",
    "l1": "absolute_error",
    "l1loss": "absolute_error",
    "learning_rate_init": "learning_rate",
    "linear": "identity",
    "log_loss": "cross_entropy",
    "logistic": "sigmoid",
    "lr": "learning_rate",
    "mae": "absolute_error",
    "max_iter": "epochs",
    "mean_absolute_error": "absolute_error",
    "mean_squared_error": "mse",
    "n_epochs": "epochs",
    "nb_epoch": "epochs",
    "nll": "cross_entropy",
    "p": "rate",
    "pinball": "quantile",
    "poisson_nll": "poisson",
    "random_state": "seed",
    "sigmoid_focal_loss": "binary_focal",
    "smooth_l1": "huber",
    "solver": "optimizer",
    "sparse_categorical_crossentropy": "cross_entropy",
    "squared_error": "mse",
    "swish": "silu",
    "verbose": "progress",
    "xavier": "glorot_uniform",
    "xavier_normal": "glorot_normal",
    "xavier_uniform": "glorot_uniform",
}
# The answer to a learning rate given to a network or its methods.
LEARNING_RATE = (
    "; the learning rate belongs to the optimizer: write Network(..., optimizer=Adam(learning_rate=0.1)), or assign "
    "net.learning_rate"
)


def nearest(value: str, known: Iterable[str]) -> str | None:
    """Return the known name that `value` most likely means, or None.

    >>> nearest("Cross-Entropy", ["mse", "cross_entropy"]), nearest("lr", ["learning_rate"])
    ('cross_entropy', 'learning_rate')
    >>> nearest("abacus", ["mse", "cross_entropy"]) is None
    True
    """
    import difflib  # here, since it is slow to load and an error is rare

    names = list(known)
    word = value.lower().replace("-", "_").replace(" ", "_")
    if ELSEWHERE.get(word) in names:
        return ELSEWHERE[word]
    close = difflib.get_close_matches(word, names, n=1)
    longer = [name for name in names if len(word) > 1 and name.startswith(word)]
    return next(iter(close + longer), None)


def hint(value: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'relu'?", or nothing where no known name is near."""
    name = nearest(value, known)
    return "" if name is None else f"; did you mean {name!r}?"


def unknown(name: str, value: str, known: Iterable[str]) -> str:
    """Return the text of the error for an unknown name, with the nearest known one."""
    names = list(known)
    return f"{name} {value[:60]!r} is unknown{hint(value, names)} (known: {', '.join(names)})"


def check_keywords(function: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse an unknown keyword and name the nearest known one (Python itself does so from 3.13 on)."""
    names = list(known)
    for keyword in given:
        if keyword not in names:
            of_optimizer = function.startswith("Network") and "learning_rate" in (keyword, ELSEWHERE.get(keyword))
            raise TypeError(
                f"{function}() got an unexpected keyword argument {keyword!r}"
                f"{LEARNING_RATE if of_optimizer else hint(keyword, names)} "
                f"(known: {', '.join(names) or 'none'})"
            )


def check_positional(function: str, given: Sequence[object], names: Sequence[str], keywords: Sequence[str]) -> None:
    """Refuse more values than `names`; show them as the keyword arguments that they probably are.

    >>> check_positional("Network", ([2, 1], "tanh"), ["layers"], ["activation", "loss"])
    Traceback (most recent call last):
    TypeError: Network() takes 1 positional argument (layers), but 2 were given; write activation='tanh'
    """
    rest = given[len(names) :]
    if not rest:
        return
    if list(names) == ["layers"] and isinstance(given[0], int):  # the numbers of units, one by one
        raise TypeError(f"layers is one list: write {function}({reprlib.repr(list(given))})")
    listed = f" ({', '.join(names)})" if names else ""
    takes = f"{len(names)} positional argument{'' if len(names) == 1 else 's'}{listed}"
    pairs = ", ".join(f"{name}={reprlib.repr(value)}" for name, value in zip(keywords, rest, strict=False))
    write = f"; write {pairs}" if pairs else ""
    raise TypeError(f"{function}() takes {takes}, but {len(given)} {'was' if len(given) == 1 else 'were'} given{write}")


def checks_keywords(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a function or a method whose callers deserve a hint when they misspell a keyword or leave it out."""
    name, own, names, keywords = arguments(function)
    known = (*names, *keywords)

    @functools.wraps(function)
    def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        check_keywords(name, kwargs, known)
        check_positional(name, args[own:], names, keywords)
        return function(*args, **kwargs)

    return checked


def refuse_more(method: Callable[..., object], *given: object) -> None:
    """Refuse positional arguments that a method does not take: for those that `checks_keywords` would slow down.

    They take ``*more: Never``, and call this if there are any.
    """
    name, _, names, keywords = arguments(method)
    check_positional(name, given, names, keywords)


def arguments(function: Callable[..., object]) -> tuple[str, int, tuple[str, ...], tuple[str, ...]]:
    """Return a function's name, 1 for a `self` or `cls`, and the names of its positional and its keyword arguments."""
    code = function.__code__
    n_names, end = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    own = int(code.co_varnames[:1] in (("self",), ("cls",)))
    name = function.__qualname__.removesuffix(".__init__")
    return name, own, code.co_varnames[own:n_names], code.co_varnames[n_names:end]
