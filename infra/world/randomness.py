"""Random numbers that depend on what they are for, never on how the world was advanced."""

import zlib

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
_STEP = np.uint64(0x9E3779B97F4A7C15)


def stream(seed: int, purpose: str, day: int) -> np.random.Generator:
    """Give the generator of one purpose on one day."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), day])))


def scatter(seed: int, purpose: str, numbers: Integers | list[int]) -> npt.NDArray[np.uint64]:
    """Hash numbers to 64 random-looking bits each (splitmix64), the same wherever and whenever it is asked."""
    with np.errstate(over="ignore"):
        z = np.asarray(numbers).astype(np.uint64) * _STEP + np.uint64(seed) * np.uint64(0xD1342543DE82EF95)
        z ^= np.uint64(zlib.crc32(purpose.encode())) << np.uint64(17)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
        return z ^ (z >> np.uint64(31))


def pick(seed: int, purpose: str, numbers: Integers | list[int], choices: int) -> Integers:
    """Choose one of so many for each number."""
    return (scatter(seed, purpose, numbers) % np.uint64(choices)).astype(np.int64)
