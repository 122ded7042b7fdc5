"""The models that the SDKs' own parsers fill, by their names."""

from typing import Literal

from pydantic import BaseModel, Field


class City(BaseModel):
    """As `citySchema` of scenarios.mjs has it."""

    name: str
    population: int


class Stop(BaseModel):
    name: str = Field(min_length=1, max_length=20)
    kind: Literal["bus", "tram"]


class Trip(BaseModel):
    """Of every keyword that pydantic is often made to write."""

    stops: list[Stop] = Field(min_length=1, max_length=3)
    line: int | str
    note: str | None
    fare: float = Field(ge=0, le=10)


class Line(BaseModel):
    name: int | str | None
