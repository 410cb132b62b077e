;; gains from: threads large-pages fast-memory
;;
;; #define N 4096
;; double a[N][N], s[N];
;; void _start(void) { for (int j = 0; j < N; j++) { double t = 0; for (int i = 0; i < N; i++) t += a[i][j]; s[j] = t; } }
(module
  (type (;0;) (func))
  (memory (;0;) 2065)
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
      i32.const 0
      local.set 3
      loop ;; label = @2
        local.get 2
        local.get 1
        local.get 3
        i32.add
        local.tee 4
        f64.load
        f64.add
        local.get 4
        i32.const 32768
        i32.add
        f64.load
        f64.add
        local.get 4
        i32.const 65536
        i32.add
        f64.load
        f64.add
        local.get 4
        i32.const 98304
        i32.add
        f64.load
        f64.add
        local.set 2
        local.get 3
        i32.const 131072
        i32.add
        local.tee 3
        i32.const 134217728
        i32.ne
        br_if 0 (;@2;)
      end
      local.get 0
      i32.const 3
      i32.shl
      local.get 2
      f64.store offset=135266304
      local.get 1
      i32.const 8
      i32.add
      local.set 1
      local.get 0
      i32.const 1
      i32.add
      local.tee 0
      i32.const 4096
      i32.ne
      br_if 0 (;@1;)
    end
  )
)

