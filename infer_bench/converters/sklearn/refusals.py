"""What of scikit-learn is refused, why, and what to do instead: class name -> (why, instead)."""

REFUSALS: dict[str, tuple[str, str]] = {
    "IterativeImputer": ("its rounds of regressions have no ONNX form", "impute with SimpleImputer"),
    "KNNImputer": ("distances with missing values have no ONNX form", "impute with SimpleImputer"),
    "HashingVectorizer": ("ONNX has no MurmurHash3 of words", "use TfidfVectorizer"),
    "FeatureHasher": ("ONNX has no MurmurHash3 of words", "use OneHotEncoder"),
    "DictVectorizer": ("its input is a dict, not a table", "use OneHotEncoder on columns"),
    "SplineTransformer": ("its splines are not written here", "use PolynomialFeatures or KBinsDiscretizer"),
    "MultiOutputClassifier": ("it predicts several targets of classes", "convert one model a target"),
    "ClassifierChain": ("it predicts several labels at once", "convert one model a label"),
    "OutputCodeClassifier": ("nearest code words tie", "use OneVsRestClassifier"),
    "GaussianProcessClassifier": ("its integrals are not written here", "use SVC or LogisticRegression"),
    "GaussianProcessRegressor": ("its kernels are not written here", "use SVR"),
    "BisectingKMeans": ("it descends a tree of clusters", "use KMeans"),
    "LocalOutlierFactor": ("its neighbour distances have no exact ONNX form", "use OneClassSVM or IsolationForest"),
    "RadiusNeighborsClassifier": ("neighbours within a radius have no ONNX form", "use KNeighborsClassifier"),
    "RadiusNeighborsRegressor": ("neighbours within a radius have no ONNX form", "use KNeighborsRegressor"),
}
