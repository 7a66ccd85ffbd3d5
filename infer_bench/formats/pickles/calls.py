"""Which classes a pickle may hand to a function that it calls: such a function may itself call what it is given."""

_RECONSTRUCTOR = "copyreg._reconstructor"

# What follows the function's name: where the classes must live that it makes instances of.
_TAKES: dict[str, tuple[str, ...]] = {
    "_frombuffer": ("numpy.",),
    "_mareconstruct": ("numpy.",),
    "_new_Index": ("pandas.",),
    "_reconstruct": ("numpy.",),
    "__bit_generator_ctor": ("numpy.random.",),
    "__generator_ctor": ("numpy.random.",),
    "__randomstate_ctor": ("numpy.random.",),
    "defaultdict": ("builtins.", "collections."),
    "dtype": ("numpy.", "builtins."),
    "newObj": ("sklearn.",),
    "partial": ("sklearn.utils.validation.check_array",),
}


def classes_fit(function: str, arguments: list[str]) -> bool:
    """Whether these globals are what an ordinary pickle gives this function as arguments."""
    if function == _RECONSTRUCTOR:
        return len(arguments) == 2 and arguments[1].startswith("builtins.")
    module, _, name = function.rpartition(".")
    if name.startswith("__pyx_unpickle_"):
        return all(one.split(".")[0] == module.split(".")[0] for one in arguments)
    return not arguments or all(one.startswith(_TAKES.get(name, ("no class at all",))) for one in arguments)
