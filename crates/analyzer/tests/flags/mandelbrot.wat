;; gains from: threads gpu
;;
;; unsigned char out[256][256];
;; void _start(void) { for (int i = 0; i < 256; i++) for (int j = 0; j < 256; j++) { float x = 0, y = 0, cx = i*0.01f-2, cy = j*0.01f-1;
;;   int n = 0; for (; n < 200; n++) { float t = x*x - y*y + cx; y = 2*x*y + cy; x = t; } out[i][j] = x*x+y*y < 4; } }
(module
  (type (;0;) (func))
  (memory (;0;) 17)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 f32 i32 f32 f32 i32 f32 f32)
    i32.const 0
    local.set 0
    loop ;; label = @1
      local.get 0
      i32.const 8
      i32.shl
      i32.const 1048576
      i32.add
      local.set 1
      local.get 0
      f32.convert_i32_u
      f32.const 0x1.47ae14p-7 (;=0.01;)
      f32.mul
      f32.const -0x1p+1 (;=-2;)
      f32.add
      local.set 2
      i32.const 0
      local.set 3
      loop ;; label = @2
        local.get 3
        f32.convert_i32_u
        f32.const 0x1.47ae14p-7 (;=0.01;)
        f32.mul
        f32.const -0x1p+0 (;=-1;)
        f32.add
        local.set 4
        f32.const 0x0p+0 (;=0;)
        local.set 5
        i32.const 200
        local.set 6
        f32.const 0x0p+0 (;=0;)
        local.set 7
        loop ;; label = @3
          local.get 2
          local.get 7
          local.get 7
          f32.mul
          local.get 5
          local.get 5
          f32.mul
          f32.sub
          f32.add
          local.tee 8
          local.get 8
          f32.add
          local.get 7
          local.get 7
          f32.add
          local.get 5
          f32.mul
          local.get 4
          f32.add
          local.tee 7
          f32.mul
          local.get 4
          f32.add
          local.set 5
          local.get 2
          local.get 8
          local.get 8
          f32.mul
          local.get 7
          local.get 7
          f32.mul
          f32.sub
          f32.add
          local.set 7
          local.get 6
          i32.const -2
          i32.add
          local.tee 6
          br_if 0 (;@3;)
        end
        local.get 1
        local.get 3
        i32.add
        local.get 7
        local.get 7
        f32.mul
        local.get 5
        local.get 5
        f32.mul
        f32.add
        f32.const 0x1p+2 (;=4;)
        f32.lt
        i32.store8
        local.get 3
        i32.const 1
        i32.add
        local.tee 3
        i32.const 256
        i32.ne
        br_if 0 (;@2;)
      end
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

