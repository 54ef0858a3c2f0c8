using System.Diagnostics;
using System.Globalization;
using Omium.Embedded.Storage;
using Omium.Runtime.Ports;

namespace Omium.Conformance.Storage;

/// <summary>
/// This program started once more, to be killed: it appends to several streams without end and prints <c>stream seq</c> for each append
/// that was acknowledged.
/// </summary>
internal sealed class AppendingProcess : IDisposable
{
    public const string Argument = "--append-until-killed";
    private const int Streams = 8;

    private readonly Process process;

    private AppendingProcess(Process process) => this.process = process;

    public int Id => process.Id;

    public StreamReader Acknowledged => process.StandardOutput;

    public static AppendingProcess Start(string directory)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add(typeof(AppendingProcess).Assembly.Location);
        start.ArgumentList.Add(Argument);
        start.ArgumentList.Add(directory);
        return new AppendingProcess(Process.Start(start)!);
    }

    public static async Task<int> RunAsync(string directory)
    {
        await using var store = EmbeddedStore.Open(new EmbeddedStoreOptions(directory) { CheckpointBytes = 256 * 1024 });
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        var gate = new Lock();
        await Task.WhenAll(Enumerable.Range(0, Streams).Select(number => Task.Run(async () =>
        {
            var stream = Sample.Stream($"exe_{number}");
            for (long seq = 0; ; seq++)
            {
                var outcome = await store.Log.AppendAsync(Sample.Append(stream, seq) with { Index = [Row(stream, seq + 1)] });
                if (outcome != new AppendOutcome(AppendStatus.Appended, seq + 1))
                {
                    throw new InvalidOperationException($"{stream} at {seq}: {outcome}");
                }

                lock (gate)
                {
                    output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{stream.Id} {seq + 1}"));
                }
            }
        })));
        return 0;
    }

    /// <summary>SIGKILL: the process gets no chance to finish anything.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
        }

        process.Dispose();
    }

    private static IndexRow Row(StreamId stream, long seq) =>
        new(stream.Tenant, IndexKinds.Execution, stream.Id, stream.Id) { Active = true, Status = "running", UpdatedUnixMs = seq };
}
