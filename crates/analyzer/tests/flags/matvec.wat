;; gains from: simd threads tensor fast-memory
;;
;; #define N 3000
;; double a[N][N], x[N], y[N];
;; void _start(void) { for (int i = 0; i < N; i++) { double s = 0; for (int j = 0; j < N; j++) s += a[i][j] * x[j]; y[i] = s; } }
(module
  (type (;0;) (func))
  (memory (;0;) 1116)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 f64 i32 i32)
    i32.const 0
    local.set 0
    i32.const 1048576
    local.set 1
    loop ;; label = @1
      f64.const 0x0p+0 (;=0;)
      local.set 2
      i32.const -24000
      local.set 3
      loop ;; label = @2
        local.get 1
        local.get 3
        i32.add
        local.tee 4
        i32.const 24024
        i32.add
        f64.load
        local.get 3
        i32.const 73072600
        i32.add
        f64.load
        f64.mul
        local.get 4
        i32.const 24016
        i32.add
        f64.load
        local.get 3
        i32.const 73072592
        i32.add
        f64.load
        f64.mul
        local.get 4
        i32.const 24008
        i32.add
        f64.load
        local.get 3
        i32.const 73072584
        i32.add
        f64.load
        f64.mul
        local.get 4
        i32.const 24000
        i32.add
        f64.load
        local.get 3
        i32.const 73072576
        i32.add
        f64.load
        f64.mul
        local.get 2
        f64.add
        f64.add
        f64.add
        f64.add
        local.set 2
        local.get 3
        i32.const 32
        i32.add
        local.tee 3
        br_if 0 (;@2;)
      end
      local.get 0
      i32.const 3
      i32.shl
      local.get 2
      f64.store offset=73072576
      local.get 1
      i32.const 24000
      i32.add
      local.set 1
      local.get 0
      i32.const 1
      i32.add
      local.tee 0
      i32.const 3000
      i32.ne
      br_if 0 (;@1;)
    end
  )
)

