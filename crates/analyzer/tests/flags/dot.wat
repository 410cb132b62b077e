;; gains from: simd threads tensor fast-memory
;;
;; double x[1<<22], y[1<<22], out;
;; void _start(void) { double s = 0; for (int i = 0; i < 1<<22; i++) s += x[i] * y[i]; out = s; }
(module
  (type (;0;) (func))
  (memory (;0;) 1041)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local f64 i32)
    f64.const 0x0p+0 (;=0;)
    local.set 0
    i32.const -33554432
    local.set 1
    loop ;; label = @1
      local.get 1
      i32.const 34603032
      i32.add
      f64.load
      local.get 1
      i32.const 68157464
      i32.add
      f64.load
      f64.mul
      local.get 1
      i32.const 34603024
      i32.add
      f64.load
      local.get 1
      i32.const 68157456
      i32.add
      f64.load
      f64.mul
      local.get 1
      i32.const 34603016
      i32.add
      f64.load
      local.get 1
      i32.const 68157448
      i32.add
      f64.load
      f64.mul
      local.get 1
      i32.const 34603008
      i32.add
      f64.load
      local.get 1
      i32.const 68157440
      i32.add
      f64.load
      f64.mul
      local.get 0
      f64.add
      f64.add
      f64.add
      f64.add
      local.set 0
      local.get 1
      i32.const 32
      i32.add
      local.tee 1
      br_if 0 (;@1;)
    end
    i32.const 0
    local.get 0
    f64.store offset=68157440
  )
)

