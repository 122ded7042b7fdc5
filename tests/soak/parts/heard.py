"""What a client made of an answer, whatever the dialect."""


class Heard:
    def __init__(self, ends=0, broken=""):
        self.pieces = []
        self.arguments = []     # of each call, in pieces
        self.ends = ends        # terminal events, or a reason to stop
        self.errors = 0         # events or bodies that tell of an error
        self.behind = 0         # pieces that came after the end
        self.broken = broken    # why it could not be read

    @property
    def text(self):
        return "".join(self.pieces)

    @property
    def calls(self):
        return ["".join(one) for one in self.arguments]

    def add(self, text):
        if self.ends or self.errors:
            self.behind += 1
        self.pieces.append(text)

    def argue(self, index, piece):
        while len(self.arguments) <= index:
            self.arguments.append([])
        self.arguments[index].append(piece)
