"""Linear algebra, statistics and files with NumPy."""
import numpy as np

random = np.random.default_rng(7)
a, b = random.random((120, 80)), random.random((80, 60))
print("product", round(float((a @ b).sum()), 6))
print("singular values", np.round(np.linalg.svd(a, compute_uv=False)[:3], 6))
print("spectrum", np.round(np.abs(np.fft.rfft(a[:, 0]))[:3], 6))
counts = np.bincount(random.integers(0, 10, 1000), minlength=10)
np.save("counts.npy", counts)
print(counts, np.load("counts.npy").sum())
try:
    np.linalg.inv(np.zeros((3, 3)))
except np.linalg.LinAlgError as error:
    print("refused:", error)
