;; gains from: simd
;;
;; #define N 200
;; double a[N][N];
;; void _start(void) { for (int k = 0; k < N; k++) for (int i = k+1; i < N; i++) { double f = a[i][k] / a[k][k]; a[i][k] = f;
;;   for (int j = k+1; j < N; j++) a[i][j] -= f * a[k][j]; } }
(module
  (type (;0;) (func))
  (memory (;0;) 21)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 f64 i32)
    i32.const 0
    local.set 0
    i32.const 1050176
    local.set 1
    i32.const 1048576
    local.set 2
    loop ;; label = @1
      local.get 0
      local.tee 3
      i32.const 1
      i32.add
      local.set 0
      block ;; label = @2
        local.get 3
        i32.const 198
        i32.gt_u
        br_if 0 (;@2;)
        local.get 3
        i32.const 1600
        i32.mul
        i32.const 1048576
        i32.add
        local.tee 4
        local.get 0
        i32.const 3
        i32.shl
        local.tee 5
        i32.add
        local.set 6
        local.get 4
        local.get 3
        i32.const 3
        i32.shl
        local.tee 7
        i32.add
        local.set 8
        local.get 3
        i32.const 2
        i32.add
        local.set 9
        local.get 3
        i32.const 1
        i32.and
        local.set 10
        local.get 1
        local.set 11
        local.get 0
        local.set 12
        loop ;; label = @3
          local.get 12
          i32.const 1600
          i32.mul
          i32.const 1048576
          i32.add
          local.tee 13
          local.get 7
          i32.add
          local.tee 4
          local.get 4
          f64.load
          local.get 8
          f64.load
          f64.div
          local.tee 14
          f64.store
          local.get 14
          f64.neg
          local.set 14
          local.get 0
          local.set 4
          block ;; label = @4
            local.get 10
            br_if 0 (;@4;)
            local.get 13
            local.get 5
            i32.add
            local.tee 4
            local.get 14
            local.get 6
            f64.load
            f64.mul
            local.get 4
            f64.load
            f64.add
            f64.store
            local.get 9
            local.set 4
          end
          block ;; label = @4
            local.get 3
            i32.const 198
            i32.eq
            br_if 0 (;@4;)
            local.get 4
            i32.const 3
            i32.shl
            local.set 4
            loop ;; label = @5
              local.get 11
              local.get 4
              i32.add
              local.tee 13
              local.get 14
              local.get 2
              local.get 4
              i32.add
              local.tee 15
              f64.load
              f64.mul
              local.get 13
              f64.load
              f64.add
              f64.store
              local.get 13
              i32.const 8
              i32.add
              local.tee 13
              local.get 14
              local.get 15
              i32.const 8
              i32.add
              f64.load
              f64.mul
              local.get 13
              f64.load
              f64.add
              f64.store
              local.get 4
              i32.const 16
              i32.add
              local.tee 4
              i32.const 1600
              i32.ne
              br_if 0 (;@5;)
            end
          end
          local.get 11
          i32.const 1600
          i32.add
          local.set 11
          local.get 12
          i32.const 1
          i32.add
          local.tee 12
          i32.const 200
          i32.ne
          br_if 0 (;@3;)
        end
      end
      local.get 2
      i32.const 1600
      i32.add
      local.set 2
      local.get 1
      i32.const 1600
      i32.add
      local.set 1
      local.get 0
      i32.const 200
      i32.ne
      br_if 0 (;@1;)
    end
  )
)

