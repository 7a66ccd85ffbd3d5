"""The rows and targets that all models are trained on, drawn once."""

from typing import Any

import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 240
X = rng.normal(size=(n, 5)) * [1, 10, 0.1, 1, 100] + [0, 5, 0, 0, 1000]
Xn = X.copy()
Xn[rng.random(X.shape) < 0.15] = np.nan
yb = (X[:, 0] + X[:, 1] / 10 + rng.normal(size=n) * 0.5 > 0.5).astype(int)
y3 = np.digitize(X[:, 0] + rng.normal(size=n) * 0.3, [-0.5, 0.5])
yr = X[:, 0] * 3 + np.sin(X[:, 1])
ys = np.array(["no", "yes"])[yb]
Y2 = np.column_stack([yr, X[:, 2]])
df = pd.DataFrame(
    {
        "age": X[:, 1],
        "inc": Xn[:, 4],
        "city": rng.choice(
            [
                "a",
                "b",
                "c",
            ],
            n,
        ),
        "job": rng.choice(["x", "y", "zz"], n),
        "k": rng.integers(0, 4, n),
    }
)
dfm = df.copy()
dfm["city"] = dfm["city"].astype(object)
dfm.loc[rng.random(n) < 0.1, "city"] = None
dfn = df.copy()
dfn["city"] = dfn["city"].astype(object)
dfn.loc[rng.random(n) < 0.1, "city"] = np.nan
R: dict[str, Any] = {"random_state": 0}
Xc = np.column_stack([X[:, 0], rng.integers(0, 6, n), rng.integers(10, 14, n)])
ycat = (Xc[:, 1] % 3 == 1) | (X[:, 0] > 0.7)
Xcn = Xc.copy()
Xcn[rng.random(Xc.shape) < 0.1] = np.nan
