"""Tables: from a CSV file with names, categories and gaps to a trained network, and back to the file's labels.

    read_table ─▶ cells (distinct texts) ─▶ decisions ─▶ columns (numbers, dates, categories) ─▶ Network ─▶ labels
                                                              └── TabularModel keeps it all, in one safetensors file

>>> import pandas as pd
>>> from chainrule.tabular import TabularModel
>>> shop = pd.DataFrame({"price": [1, 2, 8, 9] * 5, "color": ["red", "blue"] * 10})
>>> shop["sold"] = ["yes", "yes", "no", "no"] * 5
>>> model = TabularModel(hidden=(8,), seed=0).fit(shop, "sold")
>>> model.predict(pd.DataFrame({"color": ["red", "blue"], "price": [1.5, 8.5]})).tolist()
['yes', 'no']

pandas holds the tables and scikit-learn splits them: ``pip install 'chainrule[cli]'``. The command line is built on
this package.
"""

from __future__ import annotations

from chainrule.extras import install

try:
    import pandas as pd  # noqa: F401 - imported here to give a clear message if it is missing
except ImportError as missing:
    raise ImportError(f"tables need pandas: {install('cli')}") from missing

from .decisions import Decision
from .model import TabularModel
from .reading import read_csv
from .scores import Score
from .settings import Settings
from .sources import read_table

__all__ = ["Decision", "Score", "Settings", "TabularModel", "read_csv", "read_table"]
