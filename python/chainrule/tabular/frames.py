"""Tables of other libraries as a pandas.DataFrame: polars, Arrow, and whatever else offers `to_pandas`."""

from __future__ import annotations

from typing import Any

import pandas as pd


def as_frame(table: Any) -> pd.DataFrame:
    """Return a table as a DataFrame.

    Raises
    ------
    TypeError
        It is no table.
    ImportError
        A library that the conversion needs is missing, such as pyarrow for polars.
    """
    if isinstance(table, pd.DataFrame):
        return table
    kind = f"{type(table).__module__.partition('.')[0]}.{type(table).__name__}"
    collect = getattr(table, "collect", None)
    if collect is not None and not hasattr(table, "to_pandas"):  # polars.LazyFrame
        return as_frame(collect())
    if not hasattr(table, "to_pandas"):
        raise TypeError(f"the table must be a pandas.DataFrame, or one of polars or Arrow, not {type(table).__name__}")
    try:
        frame = table.to_pandas()
    except ImportError as missing:
        raise ImportError(f"a {kind} is read by {missing.name}: pip install {missing.name}") from missing
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"the table must have columns with names, as a pandas.DataFrame has, not be a {kind}")
    return frame
