using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Omium.Api.Http;

/// <summary>
/// The whole API as one call, for hosts whose requests do not come in by a server's own routing (Azure Functions) or are no requests at all (a message of
/// a queue). Keys, limits and answers are those of every other host, because the routes are.
/// </summary>
public sealed class ApiDispatcher
{
    private readonly IServiceProvider _services;
    private readonly RequestDelegate _api;

    /// <summary>Makes it over the services that <see cref="OmiumApi.AddOmiumApi"/> added.</summary>
    public ApiDispatcher(IServiceProvider services)
    {
        _services = services;
        var application = new ApplicationBuilder(services);
        application.UseRouting();
        application.UseEndpoints(endpoints => endpoints.MapOmiumApi());
        _api = application.Build();
    }

    /// <summary>Answers a request that a host has routed to this call by its own rules, which are then forgotten.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.SetEndpoint(null);
        context.Request.RouteValues.Clear();
        await _api(context);
    }

    /// <summary>Sends a request that came in by no wire and answers its status and body.</summary>
    /// <param name="method">For example POST.</param>
    /// <param name="path">For example <c>/v1/executions</c>.</param>
    /// <param name="headers">Authorization among them, for what needs a key.</param>
    /// <param name="body">JSON.</param>
    /// <param name="cancellation">The sender no longer waits.</param>
    public async Task<(int Status, string Body)> SendAsync(
        string method, string path, IReadOnlyDictionary<string, string> headers, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(headers);
        using var answer = new MemoryStream();
        using var input = new MemoryStream(body.ToArray());
        var context = new DefaultHttpContext { RequestServices = _services, RequestAborted = cancellation };
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(answer));
        context.Request.Method = method;
        context.Request.Path = path;
        context.Request.ContentType = "application/json";
        context.Request.ContentLength = body.Length;
        context.Request.Body = input;
        foreach (var (name, value) in headers)
        {
            context.Request.Headers[name] = value;
        }

        await _api(context);
        await context.Response.CompleteAsync();
        return (context.Response.StatusCode, Encoding.UTF8.GetString(answer.ToArray()));
    }
}
