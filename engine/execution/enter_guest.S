// Into the guest and back (System V ABI, AMD64, 3.2). The guest may leave every register but rbx and
// the stack pointer as it likes: a trap comes from anywhere, so all callee-saved registers lie on the
// host's stack, which Activation::host_stack_pointer remembers.

        .text
        .globl  wherry_enter_guest
        .type   wherry_enter_guest, @function
        .p2align 4
wherry_enter_guest:
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq    %rsp, %rbp
        .cfi_def_cfa_register %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        .cfi_offset %rbx, -24
        .cfi_offset %r12, -32
        .cfi_offset %r13, -40
        .cfi_offset %r14, -48
        .cfi_offset %r15, -56
        // MXCSR's control bits and the x87 control word are callee-saved, too.
        subq    $8, %rsp
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movq    %rsp, (%rdi)            // activation->host_stack_pointer
        movq    %rdi, %rbx
        movq    %rsi, %rdi              // context
        movq    %rdx, %rsi              // code
        movq    %rcx, %rdx              // values
        movq    16(%rbx), %rcx          // activation->store
        testq   %r9, %r9
        jz      1f
        movq    %r9, %rsp
1:      andq    $-16, %rsp
        call    *%r8
        xorl    %eax, %eax
2:      movq    (%rbx), %rsp
        ldmxcsr (%rsp)
        fldcw   4(%rsp)
        addq    $8, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        .cfi_def_cfa %rsp, 8
        ret

        .globl  wherry_leave_guest
wherry_leave_guest:
        .cfi_def_cfa %rbp, 16
        cld
        movl    $1, %eax
        jmp     2b
        .cfi_endproc
        .size   wherry_enter_guest, . - wherry_enter_guest

        .section .note.GNU-stack, "", @progbits
