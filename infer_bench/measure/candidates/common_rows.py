"""Rows for several models that are compared: the same ones for each of them, wherever it can take them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from infer_bench import data
from infer_bench.data.narrowing import narrower
from infer_bench.data.tensors.matching import match_requests
from infer_bench.errors import DataError, InferBenchError, UsageError
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.column_mapping import NO_ORDER, ColumnOrder, columns_for, note_mapping, share_names
from infer_bench.measure.candidates.early_openings import EarlyOpenings
from infer_bench.measure.candidates.request_file import RequestFile
from infer_bench.measure.candidates.rows import RequestDomain, Rows, describe_domain, draw_rows, note_unseen, read_rows
from infer_bench.measure.candidates.unlike_requests import mark_unlike
from infer_bench.measure.outputs.unlike_inputs import note_inputs
from infer_bench.measure.settings import Settings
from infer_bench.model import Feature, ModelSpec

Groups = Mapping[str, Sequence[Candidate]]


def load_common_rows(
    groups: Groups, source: RequestFile | None, settings: Settings, openings: EarlyOpenings | None = None
) -> tuple[dict[str, Rows], dict[Key, InferBenchError]]:
    """The rows of each model by its path, and the candidates whose model could not be opened with why.

    The first model that has columns gives the rows, drawn or of the file `source`. The others find theirs by name; one
    without names takes them in the first one's order; one that can do neither is given drawn rows of its own. Some may
    be among the `openings`. Raises `DataError` for a file that does not fit a model, and the first failure when no
    model can be opened.
    """
    domains, failures = _describe_models(groups, settings, openings, draws=source is None)
    giver = next(
        (p for p, domain in domains.items() if domain.spec.features or domain.spec.inputs), next(iter(domains))
    )
    if source is None:
        domain = _merge_kinds(domains[giver], [other.spec for other in domains.values()])
        first = draw_rows(domain, giver, settings)
    else:
        specs = {path: domain.spec for path, domain in domains.items()}
        first = _read(giver, groups, specs, source, settings, _order_of(groups, domains))
    rows = {giver: note_unseen(first, groups[giver], settings)}
    for path, domain in domains.items():
        if path == giver:
            continue
        if source is None:
            own = _share_drawn(first, path, domain, settings)
        else:
            own = _share_file(first, path, groups, specs, source, settings)
        own = _note_inputs(first, own, groups[path][0].model.name)
        rows[path] = mark_unlike(first, own, groups[giver][0].model.name, groups[path][0].model.name)
    return {path: rows[path] for path in domains}, failures


def _note_inputs(first: Rows, rows: Rows, name: str) -> Rows:
    """The rows, with what is to be said where a network takes other inputs of the first one's requests."""
    if rows.drawn_for != first.drawn_for:
        return rows
    return replace(
        rows, notices=(*rows.notices, *note_inputs(rows.spec.inputs, first.spec.inputs, first.columns.keys(), name))
    )


def _describe_models(
    groups: Groups, settings: Settings, openings: EarlyOpenings | None, *, draws: bool
) -> tuple[dict[str, RequestDomain], dict[Key, InferBenchError]]:
    domains: dict[str, RequestDomain] = {}
    failures: dict[Key, InferBenchError] = {}
    for path, candidates in groups.items():
        try:
            domains[path] = describe_domain(candidates, settings, draws=draws, openings=openings)
        except (DataError, UsageError):
            raise
        except InferBenchError as error:
            failures |= {candidate.key: error for candidate in candidates}
    if not domains:
        raise next(iter(failures.values()))
    return domains, failures


def _order_of(groups: Groups, domains: Mapping[str, RequestDomain]) -> ColumnOrder:
    """The columns of the first model that names them."""
    for path, domain in domains.items():
        if domain.spec.features and domain.spec.named:
            return ColumnOrder(groups[path][0].model.name, domain.spec.feature_names)
    return NO_ORDER


def _read(
    path: str,
    groups: Groups,
    specs: Mapping[str, ModelSpec],
    source: RequestFile,
    settings: Settings,
    order: ColumnOrder = NO_ORDER,
) -> Rows:
    candidates = groups[path]
    try:
        whole = any(candidate.spec.target for candidate in candidates)
        beside = [spec for other, spec in specs.items() if other != path]
        return read_rows(specs[path], source, settings, order, whole=whole, beside=beside)
    except UsageError:
        raise
    except DataError as error:
        raise DataError(f"{error.message} (for {candidates[0].model.name})", error.hint) from None


def _share_file(
    first: Rows,
    path: str,
    groups: Groups,
    specs: Mapping[str, ModelSpec],
    source: RequestFile,
    settings: Settings,
) -> Rows:
    """The first model's columns where the model has the same, else those of the file that have its columns' names."""
    name, spec = groups[path][0].model.name, specs[path]
    if first.spec.inputs and not spec.inputs and not spec.features:  # a function is handed what the network is
        return replace(first, spec=spec, notices=())
    if not spec.features or not first.spec.features or not _corresponds(spec, first.spec):
        return _read(path, groups, specs, source, settings)
    try:
        columns = columns_for(data.Table(first.columns), spec, first.spec, name)
    except DataError:
        return _read(path, groups, specs, source, settings)
    return replace(
        first, columns=columns, spec=spec, notices=tuple(note_mapping(spec, first.spec, name, "the first model"))
    )


def _share_drawn(first: Rows, path: str, domain: RequestDomain, settings: Settings) -> Rows:
    """The first model's rows where the model can take them, else rows of its own."""
    if domain.spec.inputs:
        return _share_requests(first, path, domain, settings)
    if not domain.spec.features:
        return replace(first, spec=domain.spec)
    try:
        if not _corresponds(domain.spec, first.spec):
            return draw_rows(domain, path, settings)
        columns = columns_for(data.Table(first.columns), domain.spec, first.spec, path)
    except DataError:
        return draw_rows(domain, path, settings)
    notices = tuple(note_mapping(domain.spec, first.spec, Path(path).name, "the first model"))
    return replace(first, columns=columns, spec=domain.spec, notices=notices)


def _share_requests(first: Rows, path: str, domain: RequestDomain, settings: Settings) -> Rows:
    """The first network's requests, by name or by place, where this one can take them."""
    columns = match_requests(first.columns, domain.spec.inputs)
    if columns is None:
        return draw_rows(domain, path, settings)
    return replace(first, columns=columns, spec=domain.spec, notices=())


def _corresponds(spec: ModelSpec, reference: ModelSpec) -> bool:
    """Whether the columns of two models are the same by name, or by position where one of them has no names."""
    if spec.named and reference.named:
        return share_names(spec, reference)
    return len(spec.features) == len(reference.features)


def _merge_kinds(domain: RequestDomain, specs: Sequence[ModelSpec]) -> RequestDomain:
    """The domain with whole numbers where any model takes them, and with the categories that any of them knows."""
    features = [
        _merge(feature, [_find_feature(feature, place, domain.spec, spec) for spec in specs])
        for place, feature in enumerate(domain.spec.features)
    ]
    return replace(domain, spec=replace(domain.spec, features=tuple(features)))


def _find_feature(feature: Feature, place: int, reference: ModelSpec, spec: ModelSpec) -> Feature | None:
    if spec.named and reference.named:
        return next((other for other in spec.features if other.name == feature.name), None)
    return spec.features[place] if _corresponds(spec, reference) else None


def _merge(feature: Feature, others: Sequence[Feature | None]) -> Feature:
    for other in others:
        if other is None:
            continue
        feature = narrower(feature, other)
        if feature.kind == "string" and not feature.categories and other.categories:
            feature = replace(feature, categories=other.categories)
    return feature
