;; gains from: branchy
;;
;; unsigned char in[1<<20]; unsigned w, d, o;
;; void _start(void) { unsigned a=0,b=0,c=0; int s = 0; for (int i = 0; i < 1<<20; i++) { unsigned char x = in[i];
;;   if (x == ' ') { if (s) a++; s = 0; } else if (x < '0') { b++; s = 1; } else if (x > '9') { if (s != 2) c += 3; s = 2; } else s ^= 1; } w=a; d=b; o=c; }
(module
  (type (;0;) (func))
  (memory (;0;) 33)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i32 i32 i32 i32 i32)
    i32.const 0
    local.set 0
    i32.const -1048576
    local.set 1
    i32.const 0
    local.set 2
    i32.const 0
    local.set 3
    i32.const 0
    local.set 4
    loop ;; label = @1
      block ;; label = @2
        block ;; label = @3
          local.get 1
          i32.const 2097152
          i32.add
          i32.load8_u
          local.tee 5
          i32.const 32
          i32.ne
          br_if 0 (;@3;)
          local.get 0
          local.get 2
          i32.const 0
          i32.ne
          i32.add
          local.set 0
          i32.const 0
          local.set 2
          br 1 (;@2;)
        end
        block ;; label = @3
          local.get 5
          i32.const 47
          i32.gt_u
          br_if 0 (;@3;)
          i32.const 1
          local.set 2
          local.get 4
          i32.const 1
          i32.add
          local.set 4
          br 1 (;@2;)
        end
        block ;; label = @3
          local.get 5
          i32.const 58
          i32.lt_u
          br_if 0 (;@3;)
          local.get 3
          local.get 3
          i32.const 3
          i32.add
          local.get 2
          i32.const 2
          i32.eq
          select
          local.set 3
          i32.const 2
          local.set 2
          br 1 (;@2;)
        end
        local.get 2
        i32.const 1
        i32.xor
        local.set 2
      end
      local.get 1
      i32.const 1
      i32.add
      local.tee 1
      br_if 0 (;@1;)
    end
    i32.const 0
    local.get 4
    i32.store offset=2097156
    i32.const 0
    local.get 0
    i32.store offset=2097152
    i32.const 0
    local.get 3
    i32.store offset=2097160
  )
)

