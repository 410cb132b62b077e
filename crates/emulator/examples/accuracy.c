/* Kernels on which predicted CPU times are checked; none has the shape of a calibration kernel but by nature.
 *
 *   clang --target=wasm32 -O2 -nostdlib -fno-builtin -Wl,--no-entry -Wl,--export-all accuracy.c -o accuracy.wasm
 *   (or: zig cc -target wasm32-freestanding … ) */
typedef unsigned u32;
typedef unsigned char u8;
typedef unsigned long long u64;
#define KERNEL(name) __attribute__((export_name(#name), noinline)) int name(int n)

static double a[128 * 128], b[128 * 128], c[128 * 128];
KERNEL(matmul) {
  int m = 64;
  for (int i = 0; i < m * m; i++) { a[i] = i * 0.5; b[i] = i * 0.25; }
  for (; n > 0; n--)
    for (int i = 0; i < m; i++)
      for (int j = 0; j < m; j++) {
        double s = 0;
        for (int k = 0; k < m; k++) s += a[i * m + k] * b[k * m + j];
        c[i * m + j] = s;
      }
  return (int)c[5];
}

KERNEL(machine) {
  u32 s = 1, x = 12345, acc = 0;
  n *= 1000;
  for (u32 i = 0; i < (u32)n; i++) {
    x = x * 1664525u + 1013904223u;
    switch ((s + (x >> 28)) & 7) {
    case 0: s = 3; acc += x; break;
    case 1: s = s + 2; acc ^= x >> 3; break;
    case 2: s = 7; acc -= s; break;
    case 3: s = x & 7; break;
    case 4: s = acc & 7; acc = acc * 33; break;
    case 5: s = 1; acc = (acc << 5) | (acc >> 27); break;
    case 6: s = s ^ 5; acc += 7; break;
    default: s = 2; acc ^= s;
    }
  }
  return acc + s;
}

KERNEL(steady_machine) {
  u32 s = 0, acc = 0;
  n *= 1000;
  for (u32 i = 0; i < (u32)n; i++) {
    switch (s) {
    case 0: acc += i; s = 1; break;
    case 1: acc ^= acc << 7; s = 2; break;
    case 2: acc += 0x9e3779b9; s = (acc & 0x10000000) ? 3 : 0; break;
    default: acc = (acc >> 3) | (acc << 29); s = 0;
    }
  }
  return acc;
}

static u8 composite[20000];
KERNEL(sieve) {
  int size = 20000, count = 0;
  for (; n > 0; n--) {
    count = 0;
    for (int i = 0; i < size; i++) composite[i] = 0;
    for (int i = 2; i < size; i++)
      if (!composite[i]) {
        count++;
        for (int j = i + i; j < size; j += i) composite[j] = 1;
      }
  }
  return count;
}

static int values[10000];
static void quick(int *v, int lo, int hi) {
  while (lo < hi) {
    int p = v[(lo + hi) / 2], i = lo, j = hi;
    while (i <= j) {
      while (v[i] < p) i++;
      while (v[j] > p) j--;
      if (i <= j) { int t = v[i]; v[i] = v[j]; v[j] = t; i++; j--; }
    }
    if (j - lo < hi - i) { quick(v, lo, j); lo = i; } else { quick(v, i, hi); hi = j; }
  }
}
KERNEL(quicksort) {
  u32 x = 1;
  for (; n > 0; n--) {
    for (int i = 0; i < 10000; i++) { x = x * 1664525u + 1013904223u; values[i] = x >> 1; }
    quick(values, 0, 9999);
  }
  return values[5000];
}

static const u32 K[64] = {
0x428a2f98,0x71374491,0xb5c0fbcf,0xe9b5dba5,0x3956c25b,0x59f111f1,0x923f82a4,0xab1c5ed5,0xd807aa98,0x12835b01,0x243185be,0x550c7dc3,0x72be5d74,0x80deb1fe,0x9bdc06a7,0xc19bf174,0xe49b69c1,0xefbe4786,0x0fc19dc6,0x240ca1cc,0x2de92c6f,0x4a7484aa,0x5cb0a9dc,0x76f988da,0x983e5152,0xa831c66d,0xb00327c8,0xbf597fc7,0xc6e00bf3,0xd5a79147,0x06ca6351,0x14292967,0x27b70a85,0x2e1b2138,0x4d2c6dfc,0x53380d13,0x650a7354,0x766a0abb,0x81c2c92e,0x92722c85,0xa2bfe8a1,0xa81a664b,0xc24b8b70,0xc76c51a3,0xd192e819,0xd6990624,0xf40e3585,0x106aa070,0x19a4c116,0x1e376c08,0x2748774c,0x34b0bcb5,0x391c0cb3,0x4ed8aa4a,0x5b9cca4f,0x682e6ff3,0x748f82ee,0x78a5636f,0x84c87814,0x8cc70208,0x90befffa,0xa4506ceb,0xbef9a3f7,0xc67178f2};
#define R(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
static u32 h[8];
static u8 message[64];
static void sha_block(const u8 *p) {
  u32 w[64];
  for (int i = 0; i < 16; i++) w[i] = p[4*i] << 24 | p[4*i+1] << 16 | p[4*i+2] << 8 | p[4*i+3];
  for (int i = 16; i < 64; i++) {
    u32 s0 = R(w[i-15],7) ^ R(w[i-15],18) ^ (w[i-15] >> 3), s1 = R(w[i-2],17) ^ R(w[i-2],19) ^ (w[i-2] >> 10);
    w[i] = w[i-16] + s0 + w[i-7] + s1;
  }
  u32 a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], hh = h[7];
  for (int i = 0; i < 64; i++) {
    u32 S1 = R(e,6) ^ R(e,11) ^ R(e,25), ch = (e & f) ^ (~e & g), t1 = hh + S1 + ch + K[i] + w[i];
    u32 S0 = R(a,2) ^ R(a,13) ^ R(a,22), mj = (a & b) ^ (a & c) ^ (b & c), t2 = S0 + mj;
    hh = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;
  }
  h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += hh;
}
KERNEL(sha256) {
  for (n *= 10; n > 0; n--) { message[n & 63]++; sha_block(message); }
  return h[0];
}

static double px[5], py[5], pz[5], vx[5], vy[5], vz[5];
static double root(double x) { return __builtin_sqrt(x); }
KERNEL(nbody) {
  for (int i = 0; i < 5; i++) { px[i] = i; py[i] = i * 2 + 1; pz[i] = 3 - i; vx[i] = vy[i] = vz[i] = 0; }
  for (n *= 100; n > 0; n--) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        double dx = px[i] - px[j], dy = py[i] - py[j], dz = pz[i] - pz[j];
        double d2 = dx * dx + dy * dy + dz * dz + 0.1, mag = 0.001 / (d2 * root(d2));
        vx[i] -= dx * mag; vy[i] -= dy * mag; vz[i] -= dz * mag;
        vx[j] += dx * mag; vy[j] += dy * mag; vz[j] += dz * mag;
      }
    for (int i = 0; i < 5; i++) { px[i] += 0.001 * vx[i]; py[i] += 0.001 * vy[i]; pz[i] += 0.001 * vz[i]; }
  }
  return (int)(px[0] * 1000);
}

static int queens(int all, int columns, int left, int right) {
  int count = 0;
  if (columns == all) return 1;
  for (int open = all & ~(columns | left | right); open;) {
    int bit = open & -open;
    open -= bit;
    count += queens(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return count;
}
static volatile int none; /* else the pure call is made once */
KERNEL(eight_queens) {
  int r = 0;
  for (; n > 0; n--) r += queens(255, none, none, none);
  return r;
}

static u32 table[1024];
KERNEL(hash_table) {
  u32 hits = 0;
  for (; n > 0; n--) {
    for (int i = 0; i < 1024; i++) table[i] = 0;
    for (u32 k = 1; k < 700; k++) {
      u32 at = (k * 2654435761u) >> 22;
      while (table[at] && table[at] != k) at = (at + 1) & 1023;
      table[at] = k;
    }
    for (u32 k = 1; k < 1400; k++) {
      u32 at = (k * 2654435761u) >> 22;
      while (table[at] && table[at] != k) at = (at + 1) & 1023;
      hits += table[at] == k;
    }
  }
  return hits;
}

static int stack[64];
static int eval(const u8 *code) {
  int sp = 0;
  for (;; code++) switch (*code) {
    case 0: return stack[0];
    case 1: stack[sp++] = 7; break;
    case 2: sp--; stack[sp - 1] += stack[sp]; break;
    case 3: sp--; stack[sp - 1] *= stack[sp]; break;
    case 4: sp--; stack[sp - 1] ^= stack[sp]; break;
    case 5: stack[sp] = stack[sp - 1]; sp++; break;
    case 6: stack[sp - 1] >>= 1; break;
    case 7: stack[sp - 1]++; break;
  }
}
static const u8 script[] = {1,1,2,5,3,7,1,4,6,1,2,5,5,2,3,6,6,7,7,1,3,1,4,5,6,2,7,1,2,6,5,4,1,2,0};
KERNEL(bytecode) {
  int r = 0;
  for (n *= 100; n > 0; n--) r += eval(script);
  return r;
}

static char text[4096];
KERNEL(count_words) {
  int words = 0;
  u32 x = 7;
  for (int i = 0; i < 4096; i++) { x = x * 1103515245u + 12345; text[i] = (x >> 16) % 6 ? 'a' + (x >> 20) % 26 : ' '; }
  for (; n > 0; n--) {
    int inside = 0;
    for (int i = 0; i < 4096; i++) {
      if (text[i] == ' ' || text[i] == '\n' || text[i] == '\t') inside = 0;
      else if (!inside) { inside = 1; words++; }
    }
  }
  return words;
}

static int (*const operations[4])(int, int);
static int add(int x, int y) { return x + y; }
static int sub(int x, int y) { return x - y; }
static int mul(int x, int y) { return x * y; }
static int xor(int x, int y) { return x ^ y; }
static int (*const operations[4])(int, int) = {add, sub, mul, xor};
KERNEL(dispatch) {
  int r = 1;
  for (n *= 1000; n > 0; n--) r = operations[(n >> 2) & 3](r, n);
  return r;
}

static u32 grid[2][66][66];
KERNEL(life) {
  u32 x = 5;
  for (int i = 1; i < 65; i++) for (int j = 1; j < 65; j++) { x = x * 1664525u + 1013904223u; grid[0][i][j] = x >> 31; }
  for (int g = 0; n > 0; n--, g ^= 1)
    for (int i = 1; i < 65; i++)
      for (int j = 1; j < 65; j++) {
        u32 (*f)[66] = grid[g];
        u32 s = f[i-1][j-1] + f[i-1][j] + f[i-1][j+1] + f[i][j-1] + f[i][j+1] + f[i+1][j-1] + f[i+1][j] + f[i+1][j+1];
        grid[g ^ 1][i][j] = s == 3 || (s == 2 && f[i][j]);
      }
  return grid[0][3][3];
}
