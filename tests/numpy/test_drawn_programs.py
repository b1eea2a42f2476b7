"""Drawn programs: compiled against plain values, and derivatives against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnjit import check_grads, jit, value_and_grad
from tests.numpy.drawn_programs import drawn

TOGETHER = 10  # programs per compiled function, since each function adds compile time


@pytest.mark.parametrize("first", range(0, 300, TOGETHER))
def test_drawn_programs_are_what_they_are_compiled_or_not(first: int) -> None:
    seeds = range(first, first + TOGETHER)
    programs = [drawn(seed) for seed in seeds]
    both = [value_and_grad(program, argnums=(0, 1)) for program in programs]
    arguments = [program.arguments for program in programs]
    compiled = jit(lambda arguments: [f(*args) for f, args in zip(both, arguments, strict=True)])(arguments)
    for seed, program, f, found in zip(seeds, programs, both, compiled, strict=True):
        described = f"drawn({seed}): {'; '.join(program.words)}"
        for got, expected in zip(flat(found), flat(f(*program.arguments)), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-11, err_msg=described)
        try:
            check_grads(program, program.arguments, tolerance=1e-5)
        except AssertionError as error:
            raise AssertionError(f"{described}\n{error}") from error


def flat(found: Any) -> list[np.ndarray]:
    value, gradients = found
    return [value, *gradients]
