;; gains from: simd fpga tensor threads gpu
;;
;; short x[1<<16], h[64]; int y[1<<16];
;; void _start(void) { for (int i = 0; i < (1<<16) - 64; i++) { int s = 0; for (int k = 0; k < 64; k++) s += x[i+k] * h[k]; y[i] = s; } }
(module
  (type (;0;) (func))
  (memory (;0;) 23)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 i32 i32 i32)
    i32.const 0
    local.set 0
    i32.const 1048576
    local.set 1
    loop ;; label = @1
      i32.const -128
      local.set 2
      i32.const 0
      local.set 3
      loop ;; label = @2
        local.get 2
        i32.const 1179782
        i32.add
        i32.load16_s
        local.get 1
        local.get 2
        i32.add
        local.tee 4
        i32.const 134
        i32.add
        i32.load16_s
        i32.mul
        local.get 2
        i32.const 1179780
        i32.add
        i32.load16_s
        local.get 4
        i32.const 132
        i32.add
        i32.load16_s
        i32.mul
        local.get 2
        i32.const 1179778
        i32.add
        i32.load16_s
        local.get 4
        i32.const 130
        i32.add
        i32.load16_s
        i32.mul
        local.get 2
        i32.const 1179776
        i32.add
        i32.load16_s
        local.get 4
        i32.const 128
        i32.add
        i32.load16_s
        i32.mul
        local.get 3
        i32.add
        i32.add
        i32.add
        i32.add
        local.set 3
        local.get 2
        i32.const 8
        i32.add
        local.tee 2
        br_if 0 (;@2;)
      end
      local.get 0
      i32.const 2
      i32.shl
      local.get 3
      i32.store offset=1179776
      local.get 1
      i32.const 2
      i32.add
      local.set 1
      local.get 0
      i32.const 1
      i32.add
      local.tee 0
      i32.const 65472
      i32.ne
      br_if 0 (;@1;)
    end
  )
)

