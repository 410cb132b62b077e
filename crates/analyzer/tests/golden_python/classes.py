# Methods, inheritance, callbacks, nested functions, early exits.
import random


class Shape:
    def __init__(self, n):
        self.n = n

    def area(self):
        return sum(i for i in range(50))

    def describe(self):
        return self.area() + 1


class Square(Shape):
    def area(self):
        return 4


def search(items, wanted):
    for index, item in enumerate(items):
        if item == wanted:
            return index
        if item is None:
            raise ValueError("none")
    return -1


def main():
    def scale(x, factor=2):
        return x * factor

    shapes = [Square(3) for _ in range(20)]
    for shape in shapes:
        shape.describe()
    found = list(map(scale, range(300)))
    search(found, random.random())
    lines = open("input.txt").readlines()
    for line in lines:
        print(line.strip(), scale(3))


main()
# ---- expected ----
# __main__, input dependent: true
# ops 2.25e4 (1.16e4 to 4.17e4)
# init 2.25e4 (1.16e4 to 4.17e4)
# parallelism Serial
# io Filesystem open 1
# io Filesystem print 3.92e2 (2.15e1 to 1.08e3)
# import random line 2 Static Unknown
# function <module> classes.py:1 depth 0 share 1.000 Unknown Some(Holds)
# function main classes.py:30 depth 0 share 0.998 Unknown Some(Holds)
# loop main classes.py:40 depth 1 share 0.358 trips 3.92e2 (2.15e1 to 1.08e3) = len(lines), Unknown Some(Holds)
# loop main classes.py:35 depth 1 share 0.333 trips 20, Unknown Some(Holds)
# function Shape.describe classes.py:12 depth 0 share 0.326 Unknown Some(Holds)
# function Shape.area classes.py:9 depth 0 share 0.319 Unknown Some(Holds)
# loop Shape.area classes.py:10 depth 1 share 0.302 trips 50, Independent Some(Holds)
# function search classes.py:21 depth 0 share 0.202 Unknown Some(Holds)
# warning trip counts that the code does not tell: the operator count may lie anywhere from 1.2e4 to 4.2e4
# warning no Python interpreter was found: what imports lead to is not known; name one with --python
