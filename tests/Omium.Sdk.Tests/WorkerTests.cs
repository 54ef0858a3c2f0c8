using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Omium.Hosting;

namespace Omium.Sdk.Tests;

/// <summary>Workers, also as a hosted service of an application: tasks are done, kept alive, failed with their class, and finished before the application stops.</summary>
public sealed class WorkerTests(DevServer server) : IClassFixture<DevServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HostedWorker_WorkflowWithItsQueue_DoesTheTasksAndStopsWithTheApplication()
    {
        using var omium = server.Client();
        await omium.SaveWorkflowAsync(Workflow("hosted", "hosted"), Cancellation);
        using var application = Host.CreateEmptyApplicationBuilder(null).Build(services => services
            .AddOmium(options => (options.BaseUrl, options.ApiKey) = (server.Url, server.Key))
            .AddOmiumWorker((_, worker) => worker.Task<Mail, JsonElement>("hosted", (mail, _) => Task.FromResult(JsonSerializer.SerializeToElement(new { sent = mail.To })))));
        await application.StartAsync(Cancellation);
        var output = await omium.RunWorkflowAsync<JsonElement>("hosted", new { to = "ada" }, cancellation: Cancellation);
        Assert.Equal("ada", output.GetProperty("work").GetProperty("sent").GetString());
        await application.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Worker_TaskLongerThanItsLease_IsKeptAliveByHeartbeats()
    {
        using var omium = server.Client();
        await omium.SaveWorkflowAsync(Workflow("slow", "slow"), Cancellation);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var working = new OmiumWorker(omium) { Concurrency = 1 }.Task("slow", async (task, token) =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(task.View.LeaseMs * 2), token); // Longer than a lease that nobody renews.
            return new { attempt = task.View.Attempt };
        }).RunAsync(stop.Token);
        var output = await omium.RunWorkflowAsync<JsonElement>("slow", new { to = "ada" }, cancellation: Cancellation);
        Assert.Equal(1, output.GetProperty("work").GetProperty("attempt").GetInt32());
        await stop.CancelAsync();
        await working;
    }

    [Fact]
    public async Task Worker_TaskFails_WithItsClass()
    {
        using var omium = server.Client();
        await omium.SaveWorkflowAsync(Workflow("failing", "failing"), Cancellation);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var working = new OmiumWorker(omium) { Concurrency = 1 }
            .Task("failing", (_, _) => throw new TaskFailedException("the brand forbids it", "policy_violation") { Permanent = true }).RunAsync(stop.Token);
        var failed = await Assert.ThrowsAnyAsync<OmiumException>(() => omium.RunWorkflowAsync<JsonElement>("failing", new { to = "ada" }, cancellation: Cancellation));
        Assert.Contains("failing", failed.Message, StringComparison.Ordinal);
        await stop.CancelAsync();
        await working;
    }

    [Fact]
    public async Task Worker_WithoutTasksOrWithAWrongKey_SaysSo()
    {
        using var omium = server.Client();
        Assert.Equal("no_tasks", (await Assert.ThrowsAsync<OmiumException>(() => new OmiumWorker(omium).RunAsync(Cancellation))).Code);
        using var wrong = server.Client(more: options => options.ApiKey = "omk_local_wrong");
        await Assert.ThrowsAsync<NotAllowedException>(() => new OmiumWorker(wrong).Task("x", (_, _) => Task.FromResult<object?>(null)).RunAsync(Cancellation));
    }

    private static JsonElement Workflow(string name, string queue) => JsonElement.Parse($$$"""
        {"omium": "v0", "name": "{{{name}}}", "steps": [{"id": "work", "type": "worker", "worker": "{{{queue}}}", "input": {"to": "${{ input.to }}"} }]}
        """);

    private sealed record Mail(string To);
}

/// <summary>An application with a few services.</summary>
internal static class Applications
{
    public static IHost Build(this HostApplicationBuilder builder, Action<IServiceCollection> configure)
    {
        configure(builder.Services);
        return builder.Build();
    }
}
