"""Iterates the Mandelbrot map over event["n"] by event["n"] points."""


def handler(event, context):
    n = event["n"]
    inside = 0
    for row in range(n):
        for column in range(n):
            point = complex(3.0 * column / n - 2.0, 2.0 * row / n - 1.0)
            z = 0j
            for _ in range(50):
                z = z * z + point
                if abs(z) > 2.0:
                    break
            else:
                inside += 1
    return {"inside": inside}
