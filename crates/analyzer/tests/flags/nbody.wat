;; gains from: simd threads
;;
;; #define N 1024
;; float px[N], py[N], fx[N], fy[N];
;; void _start(void) { for (int i = 0; i < N; i++) { float sx = 0, sy = 0; for (int j = 0; j < N; j++) {
;;   float dx = px[j]-px[i], dy = py[j]-py[i]; float r = 1.0f / (dx*dx+dy*dy+0.1f); sx += dx / r; sy += dy / r; } fx[i] = sx; fy[i] = sy; } }
(module
  (type (;0;) (func))
  (memory (;0;) 17)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 f32 f32 f32 i32 f32 f32 f32)
    i32.const 0
    local.set 0
    loop ;; label = @1
      local.get 0
      i32.const 2
      i32.shl
      local.tee 1
      f32.load offset=1052672
      local.set 2
      local.get 1
      f32.load offset=1048576
      local.set 3
      f32.const 0x0p+0 (;=0;)
      local.set 4
      i32.const -4096
      local.set 5
      f32.const 0x0p+0 (;=0;)
      local.set 6
      loop ;; label = @2
        local.get 6
        local.get 5
        i32.const 1056768
        i32.add
        f32.load
        local.get 2
        f32.sub
        local.tee 7
        f32.const 0x1p+0 (;=1;)
        local.get 5
        i32.const 1052672
        i32.add
        f32.load
        local.get 3
        f32.sub
        local.tee 8
        local.get 8
        f32.mul
        local.get 7
        local.get 7
        f32.mul
        f32.add
        f32.const 0x1.99999ap-4 (;=0.1;)
        f32.add
        f32.div
        local.tee 7
        f32.div
        f32.add
        local.set 6
        local.get 4
        local.get 8
        local.get 7
        f32.div
        f32.add
        local.set 4
        local.get 5
        i32.const 4
        i32.add
        local.tee 5
        br_if 0 (;@2;)
      end
      local.get 1
      local.get 6
      f32.store offset=1060864
      local.get 1
      local.get 4
      f32.store offset=1056768
      local.get 0
      i32.const 1
      i32.add
      local.tee 0
      i32.const 1024
      i32.ne
      br_if 0 (;@1;)
    end
  )
)

