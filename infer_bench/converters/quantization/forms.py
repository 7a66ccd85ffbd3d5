"""The forms that a network can be shrunk to."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["float16", "static", "dynamic"]
Integer = Literal["QInt8", "QUInt8", "QUInt16"]
"""As `onnxruntime.quantization.QuantType` names them."""


@dataclass(frozen=True, slots=True)
class Form:
    """How numbers are stored. `static` has activations' ranges from calibration rows, `dynamic` from each request.

    `per_channel` gives each channel of a weight a scale of its own; `reduced_range` leaves a bit of each weight free,
    so that sums of two products fit into the 16 bits of CPUs without VNNI.
    """

    name: str
    title: str
    kind: Kind
    activations: Integer = "QUInt8"
    weights: Integer = "QInt8"
    per_channel: bool = False
    reduced_range: bool = False

    @property
    def integral(self) -> bool:
        """Whether it computes with integers."""
        return self.kind != "float16"


FORMS = (
    Form("float16", "float16", "float16"),
    Form("u8s8", "int8", "static", per_channel=True),
    Form("u8s8-reduced", "int8, 7-bit weights", "static", per_channel=True, reduced_range=True),
    Form("u8u8", "int8, unsigned weights", "static", weights="QUInt8"),
    Form("u16s8", "int8, 16-bit activations", "static", activations="QUInt16"),
    Form("dynamic", "int8, dynamic", "dynamic"),
)
"""In the order in which they are tried. See onnxruntime.ai/docs/performance/model-optimizations/quantization.html."""


def form_named(name: str) -> Form:
    """The form of that name. Raises KeyError."""
    return {form.name: form for form in FORMS}[name]
