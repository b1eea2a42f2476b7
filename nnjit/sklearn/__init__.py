"""Networks as estimators of scikit-learn.

>>> from sklearn.datasets import load_iris
>>> from nnjit.sklearn import NetworkClassifier
>>> x, y = load_iris(return_X_y=True)
>>> NetworkClassifier(learning_rate=0.01, random_state=0).fit(x, y).score(x, y) > 0.9
True
"""

from nnjit.sklearn.classifier import NetworkClassifier
from nnjit.sklearn.loading import load_estimator
from nnjit.sklearn.regressor import NetworkRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor", "load_estimator"]
