;; gains from: threads gpu
;;
;; unsigned out;
;; void _start(void) { unsigned best = 0; for (unsigned i = 1; i < 100000; i++) { unsigned long long n = i; unsigned c = 0;
;;   while (n != 1) { n = n & 1 ? 3*n+1 : n >> 1; c++; } if (c > best) best = c; } out = best; }
(module
  (type (;0;) (func))
  (memory (;0;) 17)
  (global (;0;) (mut i32) i32.const 1048576)
  (export "memory" (memory 0))
  (export "_start" (func 0))
  (func (;0;) (type 0)
    (local i32 i64 i32 i64)
    i32.const 0
    local.set 0
    i64.const 1
    local.set 1
    loop ;; label = @1
      block ;; label = @2
        local.get 1
        i64.const 1
        i64.eq
        br_if 0 (;@2;)
        i32.const 0
        local.set 2
        local.get 1
        local.set 3
        loop ;; label = @3
          local.get 2
          i32.const 1
          i32.add
          local.set 2
          local.get 3
          i64.const 1
          i64.shr_u
          local.get 3
          i64.const 3
          i64.mul
          i64.const 1
          i64.add
          local.get 3
          i64.const 1
          i64.and
          i64.eqz
          select
          local.tee 3
          i64.const 1
          i64.ne
          br_if 0 (;@3;)
        end
        local.get 2
        local.get 0
        local.get 2
        local.get 0
        i32.gt_u
        select
        local.set 0
      end
      local.get 1
      i64.const 1
      i64.add
      local.tee 1
      i64.const 100000
      i64.ne
      br_if 0 (;@1;)
    end
    i32.const 0
    local.get 0
    i32.store offset=1048576
  )
)

