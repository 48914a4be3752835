"""What the world remembers from one day to the next, and how that is kept."""

import io
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from infra.world.company import PURPOSES

Array = npt.NDArray[Any]

PENDING = np.dtype([("at", "i8"), ("kind", "i1"), ("order", "i8"), ("line", "i4"), ("cents", "i8"), ("reason", "i1")])
SHIP, DELIVER, CANCEL, REFUND = range(1, 5)
PROSPECT = np.dtype([("visitor", "i8"), ("day", "i4")])

VOICE = np.dtype([("at", "i8"), ("kind", "i1"), ("customer", "i8"), ("order", "i8"), ("product", "i4"), ("cause", "i1")])

CUSTOMER = np.dtype(
    [
        ("created", "i8"),
        ("regular", "?"),
        ("rate", "f8"),
        ("death", "i8"),
        ("spending", "f8"),
        ("segment", "i1"),
        ("deleted", "?"),
        ("consent", "?", (len(PURPOSES),)),
        ("email", "i2"),
        ("address", "i2"),
        ("visitor", "i8"),
        ("cause", "i1"),
        ("orders", "i8"),
    ]
)
PRODUCT = np.dtype([("cents", "i8"), ("list_cents", "i8"), ("created", "i8"), ("active", "?")])


@dataclass
class State:
    """The company at the beginning of a day: hidden and visible traits, and what is already decided for later."""

    day: int = 0
    adstock: Array = field(default_factory=lambda: np.zeros(2))
    mood: Array = field(default_factory=lambda: np.zeros(3))
    customers: Array = field(default_factory=lambda: np.zeros(0, CUSTOMER))
    products: Array = field(default_factory=lambda: np.zeros(0, PRODUCT))
    prospects: Array = field(default_factory=lambda: np.zeros(0, PROSPECT))
    pending: Array = field(default_factory=lambda: np.zeros(0, PENDING))
    next_order: int = 1
    next_refund: int = 1
    next_visitor: int = 1
    late_at: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    late_lines: list[bytes] = field(default_factory=list)
    voices: Array = field(default_factory=lambda: np.zeros(0, VOICE))
    panel: Array = field(default_factory=lambda: np.zeros(0))

    def copy(self) -> Self:
        """Give a state that can change without changing this one."""
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        return type(self)(**{name: value.copy() if isinstance(value, (np.ndarray, list)) else value for name, value in parts.items()})

    def pack(self) -> bytes:
        """Write the state to bytes."""
        target = io.BytesIO()
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "late_lines"}
        np.savez_compressed(target, late_lines=np.frombuffer(b"\n".join(self.late_lines), np.uint8), **arrays)
        return target.getvalue()

    @classmethod
    def unpack(cls, blob: bytes) -> Self:
        """Read the state from bytes."""
        with np.load(io.BytesIO(blob)) as stored:
            parts: dict[str, Any] = {name: stored[name] for name in stored.files}
        text = parts.pop("late_lines").tobytes()
        plain = {name: int(value) if value.ndim == 0 else value for name, value in parts.items()}
        return cls(**plain, late_lines=text.split(b"\n") if text else [])
