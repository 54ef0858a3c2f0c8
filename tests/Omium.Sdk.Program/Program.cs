using Omium;

// The program that the crash test kills: five checkpoints and five transactions, one after another. What it does is noted outside: in a file, and at the receiver.
//   Omium.Sdk.Program EXECUTION_ID RECEIVER_URL NOTES_FILE
var (id, receiver, notes) = (args[0], new Uri(args[1]), args[2]);
using var http = new HttpClient { BaseAddress = receiver };
using var omium = new OmiumClient(new OmiumOptions { Lease = TimeSpan.FromSeconds(1) });
var sum = await omium.RunAsync("five_steps", FlowAsync, new RunOptions { ExecutionId = id });
Console.WriteLine(sum);

async Task<int> FlowAsync(TracedExecution execution, CancellationToken cancellation)
{
    var total = 0;
    for (var number = 1; number <= 5; number++)
    {
        var step = number;
        total += await execution.CheckpointAsync($"step_{step}", async token =>
        {
            await NoteAsync($"run {step}");
            await Task.Delay(15, token);
            return step;
        }, cancellation: cancellation);
        await NoteAsync($"recorded {step}");
        await execution.TransactionAsync($"pay_{step}", async (transaction, token) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/effects/sdk");
            request.Headers.Add("Idempotency-Key", transaction.IdempotencyKey);
            using var answer = await http.SendAsync(request, token);
            answer.EnsureSuccessStatusCode();
            return transaction.IdempotencyKey;
        }, new TransactionOptions<string> { Effect = EffectKind.Idempotent }, cancellation);
    }

    return total;
}

async Task NoteAsync(string line)
{
    await using var file = new FileStream(notes, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
    await file.WriteAsync(System.Text.Encoding.UTF8.GetBytes(line + "\n"));
    file.Flush(flushToDisk: true);
}
