"""How many of a model's trees are used, as changes of a correct one. Pure."""

from dataclasses import replace

from infer_bench.measure.validate.causes.counterfactual import EARLY_STOPPING, Counterfactual
from infer_bench.trees.ensemble import Ensemble


def other_trees(ensemble: Ensemble, other: Ensemble) -> Counterfactual:
    """The trees of the `other` reading of a model that was stopped early: up to the best iteration, or all."""
    few, many = sorted((ensemble.trees, other.trees))
    if other.trees == many:
        detail = f"all {many:,} trees are used, not the {few:,} up to the best iteration of early stopping"
    else:
        detail = f"the {few:,} trees up to the best iteration of early stopping are used, not all {many:,}"

    def change(e: Ensemble) -> Ensemble:
        return replace(e, nodes=other.nodes, roots=other.roots, output=other.output, divisor=other.divisor)

    return Counterfactual(EARLY_STOPPING, detail, trees=change)


def truncate(ensemble: Ensemble, trees: int) -> Ensemble:
    """The first `trees` trees only; an average stays one over those that remain."""
    share = trees / max(1, ensemble.trees)
    divisor = ensemble.divisor if ensemble.divisor == 1 else ensemble.divisor * share
    return replace(ensemble, roots=ensemble.roots[:trees], output=ensemble.output[:trees], divisor=divisor)
