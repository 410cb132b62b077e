;; gains from: threads large-pages fast-memory
;;
;; float t[1<<24], y[1<<22]; unsigned idx[1<<22];
;; void _start(void) { for (int i = 0; i < 1<<22; i++) y[i] = t[idx[i] & ((1<<24)-1)]; }
(module
  (type (;0;) (func))
  (memory (;0;) 1552)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32)
    i32.const -16777216
    local.set 0
    loop ;; label = @1
      local.get 0
      i32.const 101711872
      i32.add
      local.get 0
      i32.const 84934656
      i32.add
      i32.load
      i32.const 16777215
      i32.and
      i32.const 2
      i32.shl
      f32.load offset=1048576
      f32.store
      local.get 0
      i32.const 101711876
      i32.add
      local.get 0
      i32.const 84934660
      i32.add
      i32.load
      i32.const 16777215
      i32.and
      i32.const 2
      i32.shl
      f32.load offset=1048576
      f32.store
      local.get 0
      i32.const 8
      i32.add
      local.tee 0
      br_if 0 (;@1;)
    end
  )
)

