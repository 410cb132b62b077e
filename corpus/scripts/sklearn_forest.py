"""A random forest and a regression with scikit-learn."""
from sklearn.datasets import load_iris, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split

x, y = load_iris(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=3)
forest = RandomForestClassifier(n_estimators=20, n_jobs=2, random_state=3).fit(x_train, y_train)
print("accuracy", round(forest.score(x_test, y_test), 6))
x, y = make_regression(n_samples=200, n_features=5, random_state=3)
print("coefficients", Ridge().fit(x, y).coef_.round(4))
