;; gains from: threads large-pages fast-memory
;;
;; #define N 2048
;; double a[N][N], b[N][N];
;; void _start(void) { for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) b[j][i] = a[i][j]; }
(module
  (type (;0;) (func))
  (memory (;0;) 1040)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 i32 i32 i32 i32)
    i32.const 0
    local.set 0
    i32.const 1048576
    local.set 1
    i32.const 34603008
    local.set 2
    loop ;; label = @1
      i32.const -16384
      local.set 3
      local.get 2
      local.set 4
      loop ;; label = @2
        local.get 4
        local.get 1
        local.get 3
        i32.add
        local.tee 5
        i32.const 16384
        i32.add
        f64.load
        f64.store
        local.get 4
        i32.const 16384
        i32.add
        local.get 5
        i32.const 16392
        i32.add
        f64.load
        f64.store
        local.get 4
        i32.const 32768
        i32.add
        local.get 5
        i32.const 16400
        i32.add
        f64.load
        f64.store
        local.get 4
        i32.const 49152
        i32.add
        local.get 5
        i32.const 16408
        i32.add
        f64.load
        f64.store
        local.get 4
        i32.const 65536
        i32.add
        local.set 4
        local.get 3
        i32.const 32
        i32.add
        local.tee 3
        br_if 0 (;@2;)
      end
      local.get 2
      i32.const 8
      i32.add
      local.set 2
      local.get 1
      i32.const 16384
      i32.add
      local.set 1
      local.get 0
      i32.const 1
      i32.add
      local.tee 0
      i32.const 2048
      i32.ne
      br_if 0 (;@1;)
    end
  )
)

