"""Refuses dates, time spans and texts. scikit-learn takes some of them for numbers, in whatever unit they have."""

from __future__ import annotations

from typing import Any

import numpy as np


def refuse_times(argument: str, values: Any) -> None:
    """Refuse an array, a series or a frame that holds dates or time spans.

    Raises
    ------
    TypeError
        It does; the message names the argument and the first such column.
    """
    dtypes: Any = getattr(values, "dtypes", getattr(values, "dtype", None))
    if hasattr(values, "columns") and np.ndim(dtypes) == 1:
        columns = zip(values.columns, dtypes, strict=True)
    else:
        columns = zip([None], [dtypes], strict=True)
    for name, dtype in columns:
        if is_time(dtype):
            where = "" if name is None else f" in column {name!r}"
            hint = "such as days or minutes since a start"
            raise TypeError(f"{argument} holds dates or time spans{where} ({dtype}): make them numbers first, {hint}")


def refuse_texts(argument: str, values: Any) -> None:
    """Refuse an array-like that holds texts, even of digits.

    Raises
    ------
    TypeError
        It does.
    """
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.dtype.kind in "OSTU" and any(isinstance(value, (str, bytes)) for value in array.flat):
        raise TypeError(f"{argument} holds texts: make them numbers first, for example by astype(float)")


def is_time(dtype: Any) -> bool:
    """Tell whether a dtype of NumPy, pandas or polars is one of dates or time spans."""
    is_temporal = getattr(dtype, "is_temporal", None)
    return getattr(dtype, "kind", None) in ("m", "M") or bool(is_temporal and is_temporal())
