;; gains from: simd threads
;;
;; #define N 512
;; double a[N][N], b[N][N];
;; void _start(void) { for (int t = 0; t < 10; t++) { for (int i = 1; i < N-1; i++) for (int j = 1; j < N-1; j++)
;;   b[i][j] = 0.2 * (a[i][j] + a[i-1][j] + a[i+1][j] + a[i][j-1] + a[i][j+1]);
;;   for (int i = 1; i < N-1; i++) for (int j = 1; j < N-1; j++) a[i][j] = b[i][j]; } }
(module
  (type (;0;) (func))
  (memory (;0;) 80)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 i32 f64 i32 i32)
    i32.const 0
    local.set 0
    loop ;; label = @1
      i32.const 0
      local.set 1
      i32.const 1
      local.set 2
      loop ;; label = @2
        local.get 2
        i32.const 12
        i32.shl
        f64.load offset=1048584
        local.set 3
        i32.const 0
        local.set 4
        loop ;; label = @3
          local.get 1
          local.get 4
          i32.add
          local.tee 5
          i32.const 3149832
          i32.add
          local.get 3
          local.get 5
          i32.const 1048584
          i32.add
          f64.load
          f64.add
          local.get 5
          i32.const 1056776
          i32.add
          f64.load
          f64.add
          local.get 5
          i32.const 1052672
          i32.add
          f64.load
          f64.add
          local.get 5
          i32.const 1052688
          i32.add
          f64.load
          local.tee 3
          f64.add
          f64.const 0x1.999999999999ap-3 (;=0.2;)
          f64.mul
          f64.store
          local.get 4
          i32.const 8
          i32.add
          local.tee 4
          i32.const 4080
          i32.ne
          br_if 0 (;@3;)
        end
        local.get 1
        i32.const 4096
        i32.add
        local.set 1
        local.get 2
        i32.const 1
        i32.add
        local.tee 2
        i32.const 511
        i32.ne
        br_if 0 (;@2;)
      end
      i32.const 1
      local.set 2
      i32.const 0
      local.set 1
      loop ;; label = @2
        i32.const 0
        local.set 4
        loop ;; label = @3
          local.get 1
          local.get 4
          i32.add
          local.tee 5
          i32.const 1052680
          i32.add
          local.get 5
          i32.const 3149832
          i32.add
          f64.load
          f64.store
          local.get 5
          i32.const 1052688
          i32.add
          local.get 5
          i32.const 3149840
          i32.add
          f64.load
          f64.store
          local.get 5
          i32.const 1052696
          i32.add
          local.get 5
          i32.const 3149848
          i32.add
          f64.load
          f64.store
          local.get 5
          i32.const 1052704
          i32.add
          local.get 5
          i32.const 3149856
          i32.add
          f64.load
          f64.store
          local.get 5
          i32.const 1052712
          i32.add
          local.get 5
          i32.const 3149864
          i32.add
          f64.load
          f64.store
          local.get 4
          i32.const 40
          i32.add
          local.tee 4
          i32.const 4080
          i32.ne
          br_if 0 (;@3;)
        end
        local.get 1
        i32.const 4096
        i32.add
        local.set 1
        local.get 2
        i32.const 1
        i32.add
        local.tee 2
        i32.const 511
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

