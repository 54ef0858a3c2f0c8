using System.CommandLine;
using System.Runtime.InteropServices;
using Omium.Cli.Bench;
using Omium.Cli.Expressions;
using Omium.Cli.Mcp;
using Omium.Cli.Schemas;
using Omium.Cli.Servers;

namespace Omium.Cli.Commands;

/// <summary>The command line of <c>omium</c>. Exit codes: see <see cref="ExitCodes"/>.</summary>
public static class RootCommands
{
    /// <summary>Runs the program. Ctrl-C and SIGTERM end it gracefully.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        using var ended = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        return await RunAsync(args, ended.Token);

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            ended.Cancel();
        }
    }

    private static async Task<int> RunAsync(string[] args, CancellationToken cancellation)
    {
        // These read their own arguments: files of cases by the dozen, and the servers of demo and tests.
        switch (args)
        {
            case ["expr", .. var rest]:
                return ExpressionCommand.Run(rest, Console.Out, Console.Error);
            case ["schema", .. var rest]:
                return SchemaCommand.Run(rest, Console.Out, Console.Error);
            case ["model-script", .. var rest]:
                return await ScriptedModelServer.RunAsync(rest, cancellation);
            case ["receiver", .. var rest]:
                return await ReceiverServer.RunAsync(rest, cancellation);
        }

        // No response files: "@FILE" is a value of ours (--input @FILE).
        var parsed = Create().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync($"omium: {error.Message}");
            }

            await Console.Error.WriteLineAsync("Run `omium --help`, or `omium COMMAND --help`, for what can be said.");
            return ExitCodes.Usage;
        }

        // Null: the program's own handlers end it, not the parser's timer.
        return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false }, cancellation);
    }

    private static RootCommand Create()
    {
        var root = new RootCommand("Omium: fault-tolerant multi-agent workflows. `omium dev` runs the whole platform on this machine.");
        foreach (var command in (Command[])
        [
            DevCommand.Create(), ExecutionCommands.Run(), ExecutionCommands.List(), ExecutionCommands.Show(), ReviewCommands.List(), ReviewCommands.Approve(),
            ReviewCommands.Show(), ReviewCommands.Test(), FailureCommands.Create(), ExecutionCommands.Rollback(), ExecutionCommands.Retry(), ExecutionCommands.Replay(), ExecutionCommands.Verify(),
            SteeringCommands.Fork(), .. SteeringCommands.Simple(), SteeringCommands.Residue(), PolicyCommands.Create(), InitCommand.Create(), AccountCommands.Status(), AccountCommands.Keys(), AccountCommands.Members(),
            AccountCommands.Billing(), CompletionCommand.Create(), WorkflowCommands.List(), WorkflowCommands.Save(),
            WorkflowCommands.Validate(), WorkflowCommands.Suggest(), AuditCommands.Create(), McpCommand.Create(), BenchCommand.Create(), BackupCommands.Backup(), BackupCommands.Restore(), Named("expr", "Evaluate an expression: omium expr EXPRESSION --bindings FILE, or --cases FILE..."),
            Named("schema", "Check data against a JSON Schema: omium schema SCHEMA DATA, or --cases FILE..."),
        ])
        {
            root.Subcommands.Add(command);
        }

        return root;
    }

    /// <summary>A command that reads its own arguments; it is here for the help.</summary>
    private static Command Named(string name, string description) => new(name, description);
}
