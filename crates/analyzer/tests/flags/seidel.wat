;; gains from:
;;
;; #define N 256
;; double a[N][N];
;; void _start(void) { for (int t = 0; t < 10; t++) for (int i = 1; i < N-1; i++) for (int j = 1; j < N-1; j++)
;;   a[i][j] = 0.25 * (a[i-1][j] + a[i+1][j] + a[i][j-1] + a[i][j+1]); }
(module
  (type (;0;) (func))
  (memory (;0;) 24)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 i32 i32 f64 i32 i32 i32)
    i32.const 0
    local.set 0
    loop ;; label = @1
      i32.const 1048576
      local.set 1
      i32.const 0
      local.set 2
      i32.const 1
      local.set 3
      loop ;; label = @2
        local.get 2
        i32.const 11
        i32.shl
        i32.const 1050624
        i32.add
        f64.load
        local.set 4
        i32.const 0
        local.set 5
        loop ;; label = @3
          local.get 1
          local.get 5
          i32.add
          local.tee 6
          i32.const 2056
          i32.add
          local.get 6
          i32.const 8
          i32.add
          f64.load
          local.get 6
          i32.const 4104
          i32.add
          f64.load
          f64.add
          local.get 4
          f64.add
          local.get 6
          i32.const 2064
          i32.add
          local.tee 7
          f64.load
          f64.add
          f64.const 0x1p-2 (;=0.25;)
          f64.mul
          local.tee 4
          f64.store
          local.get 7
          local.get 6
          i32.const 16
          i32.add
          f64.load
          local.get 6
          i32.const 4112
          i32.add
          f64.load
          f64.add
          local.get 4
          f64.add
          local.get 6
          i32.const 2072
          i32.add
          f64.load
          f64.add
          f64.const 0x1p-2 (;=0.25;)
          f64.mul
          local.tee 4
          f64.store
          local.get 5
          i32.const 16
          i32.add
          local.tee 5
          i32.const 2032
          i32.ne
          br_if 0 (;@3;)
        end
        local.get 1
        i32.const 2048
        i32.add
        local.set 1
        local.get 2
        i32.const 1
        i32.add
        local.set 2
        local.get 3
        i32.const 1
        i32.add
        local.tee 3
        i32.const 255
        i32.ne
        br_if 0 (;@2;)
      end
      local.get 0
      i32.const 1
      i32.add
      local.tee 0
      i32.const 10
      i32.ne
      br_if 0 (;@1;)
    end
  )
)

