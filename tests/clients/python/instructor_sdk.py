"""instructor: a value of a type, in the three ways it has of asking."""
import instructor
from pydantic import BaseModel

from cells import MODEL, QUESTION, main, same


class Place(BaseModel):
    city: str


def client(mode):
    return instructor.from_provider(f"openai/{MODEL}", mode=mode)


def asked(make, **rest):
    return make(messages=[{"role": "user", "content": QUESTION}],
                response_model=Place, **rest)


def text():
    got = asked(client(instructor.Mode.JSON_SCHEMA).create)
    same(got.city, QUESTION)


def stream():
    *_, last = asked(client(instructor.Mode.JSON_SCHEMA).create_partial)
    same(last.city, QUESTION)


def tools():
    got = asked(client(instructor.Mode.TOOLS).create)
    same(got.city, "Oslo")


main({"text": text, "stream": stream, "tools": tools}, "instructor")
