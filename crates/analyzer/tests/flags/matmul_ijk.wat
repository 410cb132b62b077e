;; gains from: threads gpu tensor
;;
;; #define N 256
;; float a[N][N], b[N][N], c[N][N];
;; void _start(void) { for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) { float s = 0;
;;   for (int k = 0; k < N; k++) s += a[i][k] * b[k][j]; c[i][j] = s; } }
(module
  (type (;0;) (func))
  (memory (;0;) 28)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 i32 i32 i32 f32 i32 i32 i32)
    i32.const 0
    local.set 0
    i32.const 1048576
    local.set 1
    loop ;; label = @1
      local.get 0
      i32.const 10
      i32.shl
      i32.const 1572864
      i32.add
      local.set 2
      i32.const 1310720
      local.set 3
      i32.const 0
      local.set 4
      loop ;; label = @2
        f32.const 0x0p+0 (;=0;)
        local.set 5
        i32.const -1024
        local.set 6
        local.get 3
        local.set 7
        loop ;; label = @3
          local.get 1
          local.get 6
          i32.add
          local.tee 8
          i32.const 1036
          i32.add
          f32.load
          local.get 7
          i32.const 3072
          i32.add
          f32.load
          f32.mul
          local.get 8
          i32.const 1032
          i32.add
          f32.load
          local.get 7
          i32.const 2048
          i32.add
          f32.load
          f32.mul
          local.get 8
          i32.const 1028
          i32.add
          f32.load
          local.get 7
          i32.const 1024
          i32.add
          f32.load
          f32.mul
          local.get 8
          i32.const 1024
          i32.add
          f32.load
          local.get 7
          f32.load
          f32.mul
          local.get 5
          f32.add
          f32.add
          f32.add
          f32.add
          local.set 5
          local.get 7
          i32.const 4096
          i32.add
          local.set 7
          local.get 6
          i32.const 16
          i32.add
          local.tee 6
          br_if 0 (;@3;)
        end
        local.get 2
        local.get 4
        i32.const 2
        i32.shl
        i32.add
        local.get 5
        f32.store
        local.get 3
        i32.const 4
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
      i32.const 1024
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

