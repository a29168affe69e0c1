# mypy: allow-untyped-defs, allow-untyped-calls, no-check-untyped-defs
"""Functions that are compiled for more of a processor than the kernels around them (`flink_masking.kernels.baseline`)."""

from llvmlite import ir


class Features(ir.values.FunctionAttributes):  # type: ignore[misc]
    """Attributes of a function that is compiled for other features than its module; llvmlite has no way to state them."""

    def __init__(self, args, features):
        """Keep the attributes, and the features in LLVM's words."""
        super().__init__(args)
        self._features = features

    def _to_list(self, ret_type):
        return [*super()._to_list(ret_type), f'"target-features"="{self._features}"']
