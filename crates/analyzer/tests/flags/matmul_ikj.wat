;; gains from: simd threads gpu tensor
;;
;; #define N 256
;; double a[N][N], b[N][N], c[N][N];
;; void _start(void) { for (int i = 0; i < N; i++) for (int k = 0; k < N; k++) { double x = a[i][k];
;;   for (int j = 0; j < N; j++) c[i][j] += x * b[k][j]; } }
(module
  (type (;0;) (func))
  (memory (;0;) 40)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 i32 i32 i32 f64 i32 i32 i32)
    i32.const 0
    local.set 0
    i32.const 2097152
    local.set 1
    loop ;; label = @1
      local.get 0
      i32.const 11
      i32.shl
      i32.const 1048576
      i32.add
      local.set 2
      i32.const 1572864
      local.set 3
      i32.const 0
      local.set 4
      loop ;; label = @2
        local.get 2
        local.get 4
        i32.const 3
        i32.shl
        i32.add
        f64.load
        local.set 5
        i32.const 0
        local.set 6
        loop ;; label = @3
          local.get 1
          local.get 6
          i32.add
          local.tee 7
          local.get 5
          local.get 3
          local.get 6
          i32.add
          local.tee 8
          f64.load
          f64.mul
          local.get 7
          f64.load
          f64.add
          f64.store
          local.get 7
          i32.const 8
          i32.add
          local.tee 7
          local.get 5
          local.get 8
          i32.const 8
          i32.add
          f64.load
          f64.mul
          local.get 7
          f64.load
          f64.add
          f64.store
          local.get 6
          i32.const 16
          i32.add
          local.tee 6
          i32.const 2048
          i32.ne
          br_if 0 (;@3;)
        end
        local.get 3
        i32.const 2048
        i32.add
        local.set 3
        local.get 4
        i32.const 1
        i32.add
        local.tee 4
        i32.const 256
        i32.ne
        br_if 0 (;@2;)
      end
      local.get 1
      i32.const 2048
      i32.add
      local.set 1
      local.get 0
      i32.const 1
      i32.add
      local.tee 0
      i32.const 256
      i32.ne
      br_if 0 (;@1;)
    end
  )
)

